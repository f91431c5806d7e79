"""What web's document says of ingest's routes is true: the two may not import each other, so they are compared here."""

from collections.abc import Iterator
from typing import Any

import pytest
from pagerpal_common.contracts.http import OF_INGEST
from pagerpal_common.contracts.http.alerts import AlertBody
from pagerpal_common.contracts.http.operation import Operation
from pagerpal_common.http import Endpoint
from pagerpal_ingest.domain.generic import GenericAlert
from pagerpal_ingest.endpoints import ENDPOINTS
from pydantic import TypeAdapter

DESCRIBED = {(operation.method, operation.path): operation for operation in OF_INGEST}
SERVED = {(row.method, row.path): row for row in ENDPOINTS}


def fields_of(kind: Any) -> set[str]:
    """Every name that a value of this type, or a part of it, may have."""
    return set(_properties(TypeAdapter(kind).json_schema(mode="serialization")))


def _properties(schema: Any) -> Iterator[str]:
    parts = list(schema.values()) if isinstance(schema, dict) else schema if isinstance(schema, list) else []
    if isinstance(schema, dict):
        yield from schema.get("properties", {})
    for part in parts:
        yield from _properties(part)


def test_every_route_that_is_served_is_described_and_the_other_way_round() -> None:
    assert set(SERVED) - set(DESCRIBED) == set(), "add it to pagerpal_common/contracts/http"
    assert set(DESCRIBED) - set(SERVED) == set(), "serve it, or take it out of pagerpal_common/contracts/http"


@pytest.mark.parametrize("route", [route for route in DESCRIBED if route in SERVED], ids=" ".join)
def test_a_route_answers_with_what_is_described(route: tuple[str, str]) -> None:
    row: Endpoint = SERVED[route]
    operation: Operation = DESCRIBED[route]

    assert {row.status, *row.refuses} == set(operation.answers), "the row and contracts/http name different statuses"
    described = fields_of(operation.answers[row.status].gives)
    assert fields_of(row.gives) <= described, "contracts/http does not name every field of the answer"


def test_the_body_of_an_alert_is_described_as_it_is_read() -> None:
    read, described = GenericAlert.model_json_schema(), AlertBody.model_json_schema()
    assert set(read["properties"]) == set(described["properties"])
    assert set(read["required"]) == set(described["required"])
