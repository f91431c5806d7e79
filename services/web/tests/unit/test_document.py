"""The API's document: true of every row of every table, valid, and complete enough to work from without asking."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from openapi_spec_validator import OpenAPIV31SpecValidator
from pagerpal_common.contracts.http import OF_OTHERS
from pagerpal_common.contracts.http.operation import REFUSED, Operation
from pagerpal_common.http import STATUS, Endpoint
from pagerpal_common.http.described import described
from pagerpal_common.http.openapi import SCHEMES, document
from pagerpal_web.api import ENDPOINTS
from pydantic import TypeAdapter, ValidationError

OPERATIONS = (*(described(row) for row in ENDPOINTS), *OF_OTHERS)
DOCUMENT = document(OPERATIONS)
LARGEST_ARRAY = 1000


def named(row: Endpoint | Operation) -> str:
    return f"{row.method} {row.path}"


def described_in_full(operation: Operation) -> dict[str, Any]:
    path = re.sub(r"{(\w+):int}", r"{\1}", operation.path)
    found: dict[str, Any] = DOCUMENT["paths"][path][operation.method.lower()]
    return found


def parts(schema: Any, where: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Every schema within a schema, and where it is."""
    if isinstance(schema, list):
        for part in schema:
            yield from parts(part, where)
    if isinstance(schema, dict):
        yield where, schema
        for name, part in schema.items():
            if name not in {"examples", "example", "default", "enum", "const"}:
                yield from parts(part, f"{where}/{name}")


def test_it_is_valid_openapi_3_1() -> None:
    assert [error.message for error in OpenAPIV31SpecValidator(DOCUMENT).iter_errors()] == []
    assert DOCUMENT["openapi"].startswith("3.1.")


def test_it_is_the_same_however_often_it_is_made() -> None:
    assert json.dumps(document(OPERATIONS)) == json.dumps(DOCUMENT)


@pytest.mark.parametrize("row", ENDPOINTS, ids=named)
def test_a_row_says_everything_that_the_document_needs(row: Endpoint) -> None:
    says = f"{row.handler.__module__}.{row.handler.__name__}"
    assert row.handler.__doc__, f"{says} has no docstring: its first sentence is the route's summary"
    assert row.gives is not None or row.status == 204, f"`gives` of the row of {says} must be the type of its answer"
    assert row.gives is None or row.status != 204, f"a 204 has no body, but the row of {says} gives one"
    unknown = {status for status in row.refuses if status >= 400} - set(REFUSED)
    assert not unknown, f"operation.REFUSED does not say what the statuses {unknown} of {says} mean"


def test_every_status_of_an_error_family_is_explained() -> None:
    assert set(STATUS.values()) <= set(REFUSED)


@pytest.mark.parametrize("operation", OPERATIONS, ids=named)
def test_every_route_has_a_summary_that_fits_a_line(operation: Operation) -> None:
    summary = described_in_full(operation)["summary"]
    assert summary
    assert len(summary) <= 120, "the first sentence of the docstring is the summary: end it with a blank line sooner"


def test_the_names_of_operations_are_unique() -> None:
    names = [operation.name for operation in OPERATIONS]
    assert sorted(names) == sorted(set(names)), "clients are generated from them: rename a handler"


def test_the_names_of_schemas_can_be_read() -> None:
    unreadable = [name for name in DOCUMENT["components"]["schemas"] if not re.fullmatch(r"[A-Z][A-Za-z]+", name)]
    assert not unreadable, "two models have the same name, or one is taken and given: rename one"


@pytest.mark.parametrize("operation", OPERATIONS, ids=named)
def test_examples_are_valid(operation: Operation) -> None:
    described_here = described_in_full(operation)
    bodies = [described_here.get("requestBody", {}), *described_here["responses"].values()]
    for content in (content for body in bodies for content in body.get("content", {}).values()):
        if "example" in content:
            schema = {**content["schema"], "components": DOCUMENT["components"]}
            errors = [error.message for error in Draft202012Validator(schema).iter_errors(content["example"])]
            assert not errors, f"{named(operation)}: give the model, or http/examples.py, a better example"
    if operation.takes is not None:
        (example,) = {json.dumps(content["example"]) for content in described_here["requestBody"]["content"].values()}
        try:
            TypeAdapter(operation.takes).validate_json(example)
        except ValidationError as error:
            pytest.fail(f"the example {example} of {named(operation)} would be refused: {error}")


@pytest.mark.parametrize("operation", [each for each in OPERATIONS if each.takes is not None], ids=named)
def test_what_a_body_may_hold_is_bounded(operation: Operation) -> None:
    """Reliability list, S17 and S18: arrays, texts and numbers. A body as a whole has its limit in bytes."""
    if operation in OF_OTHERS:
        return  # what monitoring systems send is bounded by its bytes alone: none of it is refused for its length
    schema = TypeAdapter(operation.takes).json_schema()
    for where, part in parts({"properties": schema.get("properties"), "$defs": schema.get("$defs")}):
        kind, place = part.get("type"), f"{named(operation)}: {where}"
        if kind == "array":
            assert part.get("maxItems", LARGEST_ARRAY + 1) <= LARGEST_ARRAY, f"{place} has no max_length"
        if kind == "integer":
            assert "maximum" in part, f"{place} has no greatest value"
        if kind == "string" and "enum" not in part and "const" not in part and "format" not in part:
            assert "maxLength" in part, f"{place} has no max_length"


def test_what_is_not_public_says_whom_it_asks_for() -> None:
    """The same table as "Authentication summary" of the API reference, from the route tables."""
    for operation in OPERATIONS:
        security = described_in_full(operation)["security"]
        assert security == [{scheme.value: []} for scheme in operation.asks_for] + [{}] * operation.is_lenient
        assert (401 in operation.answers) >= bool(security and {} not in security), named(operation)
    used = {scheme for operation in OPERATIONS for scheme in operation.asks_for}
    assert set(DOCUMENT["components"]["securitySchemes"]) == {scheme.value for scheme in used} <= set(SCHEMES)


def test_what_only_operators_call_is_not_in_it() -> None:
    assert not {"/livez", "/readyz", "/metrics"} & set(DOCUMENT["paths"])


def test_its_words_are_ours_alone() -> None:
    """No machine, no host and no secret."""
    text = json.dumps(DOCUMENT)
    assert set(re.findall(r"https?://([^/\"\s]+)", text)) <= {"grafana.example.org", "prometheus.example.org"}
