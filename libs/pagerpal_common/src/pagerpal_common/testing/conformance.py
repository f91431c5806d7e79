"""Is every answer that a test sees what the API's document says? Hung into a test's client, it looks at them all."""

import json
import re
from collections.abc import Sequence
from typing import Any

import httpx
from jsonschema import Draft202012Validator

from pagerpal_common.contracts.http.operation import JSON, Operation
from pagerpal_common.http.openapi import document

UNROUTED = (404, 405)
"""No such path, or not with this method: of no route, so in no document."""

PROBLEM = {"type": "object", "properties": {"detail": {"type": "string"}}, "required": ["detail"]}


class Conformance:
    """Holds answers to the document of these routes: declared statuses, schemas, and no field beside them."""

    def __init__(self, operations: Sequence[Operation]) -> None:
        self._document = _closed(document(operations))
        self._operations = [
            (operation, re.compile(re.sub(r"{\w+:int}", "[0-9]+", operation.path))) for operation in operations
        ]
        self._validators: dict[str, Draft202012Validator] = {}

    async def __call__(self, response: httpx.Response) -> None:
        """Raises AssertionError when the answer is not what the document says; an event hook of `httpx`."""
        await response.aread()
        problem = self._problem(response)
        if problem is not None:
            request = response.request
            raise AssertionError(f"{request.method} {request.url.path} -> {response.status_code}: {problem}")

    def _problem(self, response: httpx.Response) -> str | None:
        operation = self._operation(response.request)
        if operation is None:
            is_refused = response.status_code in UNROUTED
            return self._misfit(response, PROBLEM) if is_refused else "this route is not in the document"
        if response.status_code not in operation.answers:
            return f"this status is not in the document: add it to the row's `refuses`. It said: {response.text[:500]}"
        content = self._declared(operation, response.status_code).get("content", {})
        if response.request.method == "HEAD" or not (content or response.content):
            return None
        media_type = response.headers.get("content-type", "").partition(";")[0]
        if media_type not in content:
            return f"it is {media_type}, and the document says {list(content)}"
        return self._misfit(response, content[media_type]["schema"]) if media_type == JSON else None

    def _operation(self, request: httpx.Request) -> Operation | None:
        method = "GET" if request.method == "HEAD" else request.method
        return next(
            (
                operation
                for operation, pattern in self._operations
                if operation.method == method and pattern.fullmatch(request.url.path)
            ),
            None,
        )

    def _declared(self, operation: Operation, status: int) -> dict[str, Any]:
        path = re.sub(r"{(\w+):int}", r"{\1}", operation.path)
        declared: dict[str, Any] = self._document["paths"][path][operation.method.lower()]["responses"][str(status)]
        if "$ref" in declared:
            declared = self._document["components"]["responses"][declared["$ref"].rpartition("/")[2]]
        return declared

    def _misfit(self, response: httpx.Response, schema: dict[str, Any]) -> str | None:
        problems = [
            f"{error.json_path}: {error.message}" for error in self._validator(schema).iter_errors(response.json())
        ]
        return f"it does not fit its schema: {problems}" if problems else None

    def _validator(self, schema: dict[str, Any]) -> Draft202012Validator:
        """Kept from answer to answer: looking through all the components takes longer than most tests."""
        written = json.dumps(schema)
        if written not in self._validators:
            whole = {**schema, "components": self._document["components"]}
            checker = Draft202012Validator.FORMAT_CHECKER
            self._validators[written] = Draft202012Validator(whole, format_checker=checker)
        return self._validators[written]


def _closed(schema: Any) -> Any:
    """The same, but an object has no field beside those that are named: what is answered is documented."""
    if isinstance(schema, list):
        return [_closed(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    closed = {name: _closed(part) for name, part in schema.items()}
    if schema.get("type") == "object" and "properties" in schema:
        closed.setdefault("additionalProperties", False)
    return closed
