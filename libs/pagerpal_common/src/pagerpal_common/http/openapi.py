"""The API's document: OpenAPI 3.1 of any number of routes, the same bytes wherever and whenever it is made."""

import re
from collections.abc import Iterator, Mapping, Sequence
from http import HTTPStatus
from typing import Any

from pydantic import BaseModel, TypeAdapter
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaMode, JsonSchemaValue
from pydantic_core import core_schema

from pagerpal_common import VERSION
from pagerpal_common.contracts.http.operation import REFUSED, Answer, Operation, Scheme, refused
from pagerpal_common.http.answers import STATUS
from pagerpal_common.http.examples import example_of

Json = dict[str, Any]

INTRODUCTION = """\
Who may call what, and what everything has in common:

* Operators and scripts use an account: HTTP Basic with its email address and password, or the session's cookie.
* Monitoring systems use the key of their alert source. Prefer a header: query strings end up in logs.
* Instants are RFC 3339 in UTC with `Z`. Ids are integers.
* What is refused reads `{"detail": "…"}`; a 422 lists what does not fit, and never what was sent.
* A 503 is PagerPal's own trouble: the same request may succeed later, and `Retry-After` says when to try.
* Every answer has an `X-Request-ID`: the request's own if it sent one, and what to look for in the log.
* A body may be as large as 64 KiB where nothing else is said, must come within 10 s, and is not nested deeper than 64.
"""

TAGS: Mapping[str, str] = {
    "alerts": "What monitoring systems call. Any 2xx means that the alert is durably kept.",
    "webhooks": "The same, in the words of Grafana, Alertmanager, CloudWatch and PagerDuty.",
    "incidents": "To read them, and to have something done about them.",
    "users": "People.",
    "teams": "Teams, who is in them, and who of them is on call.",
    "schedules": "Who is on call when.",
    "escalation-policies": "Whom to page, in which order.",
    "alert-sources": "Monitoring systems and their keys.",
    "notifications": "What the provider of messages calls.",
    "auth": "One's own account.",
    "system": "Whether it works, and what it can do.",
}
"""What is said of the groups of routes. Those that are not here come after these, and speak for themselves."""

OTHER_TAGS: Mapping[str, str] = {
    "/v2/enqueue": "webhooks",
    "/login": "auth",
    "/logout": "auth",
    "/bootstrap/admin": "auth",
}
"""The groups of routes outside `/api/v1`; of the rest it is `system`."""

SCHEMES: Mapping[Scheme, Json] = {
    Scheme.ACCOUNT: {
        "type": "http",
        "scheme": "basic",
        "description": "A user account: its email address and password.",
    },
    Scheme.SESSION: {
        "type": "apiKey",
        "in": "cookie",
        "name": "pagerpal_session",
        "description": "What `/login` gives.",
    },
    Scheme.API_KEY: {
        "type": "apiKey",
        "in": "header",
        "name": "X-API-Key",
        "description": "An alert source's key.",
    },
    Scheme.SOURCE_KEY: {
        "type": "apiKey",
        "in": "header",
        "name": "X-Alert-Source-Key",
        "description": "An alert source's key.",
    },
    Scheme.BEARER: {"type": "http", "scheme": "bearer", "description": "An alert source's key."},
    Scheme.BASIC_KEY: {
        "type": "http",
        "scheme": "basic",
        "description": "An alert source's key as the password, whatever the user is called.",
    },
    Scheme.QUERY_API_KEY: {
        "type": "apiKey",
        "in": "query",
        "name": "api_key",
        "description": "An alert source's key, for senders that cannot set a header.",
    },
    Scheme.QUERY_TOKEN: {
        "type": "apiKey",
        "in": "query",
        "name": "token",
        "description": "An alert source's key, for senders that cannot set a header.",
    },
    Scheme.RECEIPT_TOKEN: {
        "type": "apiKey",
        "in": "header",
        "name": "X-Infobip-Receipt-Token",
        "description": "`INFOBIP_RECEIPT_TOKEN`. Demanded when it is configured, which production requires.",
    },
}

_REFUSALS: Mapping[int, str] = {status: family.__name__ for family, status in STATUS.items()}
"""What the usual answers that say no are called."""

_PARAMETER = re.compile(r"{(\w+)(?::\w+)?}")
_HEADERS = {
    401: {"WWW-Authenticate": {"schema": {"type": "string"}, "description": "How to say who one is."}},
    429: {"Retry-After": {"schema": {"type": "string"}, "description": "Seconds to wait."}},
    503: {"Retry-After": {"schema": {"type": "string"}, "description": "Seconds to wait."}},
}


def document(operations: Sequence[Operation]) -> Json:
    """The document of these routes, which it lists in their order."""
    bodies = _Bodies(operations)
    answers = [pair for operation in operations for pair in operation.answers.items()]
    refusals = dict(sorted(pair for pair in answers if _is_usual(*pair)))
    paths: dict[str, Json] = {}
    for operation in operations:
        path = _PARAMETER.sub(r"{\1}", operation.path)
        paths.setdefault(path, {})[operation.method.lower()] = _described(operation, bodies)
    used = {scheme for operation in operations for scheme in operation.asks_for}
    return {
        "openapi": "3.1.0",
        "info": {"title": "PagerPal", "version": VERSION, "description": INTRODUCTION},
        "servers": [{"url": "/"}],
        "tags": _tags(operations),
        "paths": paths,
        "components": {
            "schemas": bodies.components,
            "responses": {_REFUSALS[status]: _in_full(status, answer, bodies) for status, answer in refusals.items()},
            "securitySchemes": {scheme.value: SCHEMES[scheme] for scheme in Scheme if scheme in used},
        },
    }


class _Schemas(GenerateJsonSchema):
    """Without titles that only repeat the fields' names, and defaults that only say that a field may be left out."""

    def field_title_should_be_set(self, schema: object) -> bool:  # noqa: ARG002 - the signature is pydantic's
        return False

    def default_schema(self, schema: core_schema.WithDefaultSchema) -> JsonSchemaValue:
        stated = super().default_schema(schema)
        if stated.get("default", "") is None:
            del stated["default"]
        return stated


class _Bodies:
    """The schemas of everything that the routes take and give, each named type once."""

    def __init__(self, operations: Sequence[Operation]) -> None:
        queries = [operation.query for operation in operations if operation.query is not None]
        wanted = dict.fromkeys(pair for operation in operations for pair in _types(operation))
        self._schemas, defs = TypeAdapter.json_schemas(
            [(kind, mode, TypeAdapter(kind)) for kind, mode in wanted],
            ref_template="#/components/schemas/{model}",
            schema_generator=_Schemas,
        )
        every: Json = defs.get("$defs", {})
        self._queries: dict[type[BaseModel], Json] = {query: every[query.__name__] for query in queries}
        named = {query.__name__ for query in queries}
        self.components = {name: schema for name, schema in every.items() if name not in named}

    def query(self, kind: type[BaseModel]) -> Json:
        """The schema of what may stand in a query string; no component, for its fields are parameters."""
        return self._queries[kind]

    def of(self, kind: Any, mode: JsonSchemaMode) -> Json:
        """The schema of one of the types, which refers to the components."""
        schema: Json = self._schemas[kind, mode]
        return schema

    def content(self, kind: Any, mode: JsonSchemaMode, *media_types: str) -> Json:
        """A body of one of the types, with an example."""
        schema = self.of(kind, mode)
        body = {"schema": schema} if kind is str else {"schema": schema, "example": example_of(schema, self.components)}
        return dict.fromkeys(media_types, body)


def _types(operation: Operation) -> Iterator[tuple[Any, JsonSchemaMode]]:
    for kind in (operation.takes, operation.query):
        if kind is not None:
            yield kind, "validation"
    for answer in operation.answers.values():
        if answer.gives is not None:
            yield answer.gives, "serialization"


def _described(operation: Operation, bodies: _Bodies) -> Json:
    summary, _, description = operation.words.partition("\n\n")
    described: Json = {
        "operationId": operation.name,
        "tags": [_tag(operation)],
        "summary": " ".join(summary.split()).rstrip("."),
        "security": [{scheme.value: []} for scheme in operation.asks_for] + [{}] * operation.is_lenient,
        "responses": {str(status): _answer(status, answer, bodies) for status, answer in operation.answers.items()},
    }
    if description:
        described["description"] = description
    parameters = [*_ids(operation), *_query(operation, bodies), *_headers(operation)]
    if parameters:
        described["parameters"] = parameters
    if operation.takes is not None:
        content = bodies.content(operation.takes, "validation", *operation.media_types)
        described["requestBody"] = {"required": True, "content": content}
    return described


def _is_usual(status: int, answer: Answer) -> bool:
    return status in REFUSED and answer == refused(status)[status]


def _answer(status: int, answer: Answer, bodies: _Bodies) -> Json:
    if _is_usual(status, answer):
        return {"$ref": f"#/components/responses/{_REFUSALS[status]}"}
    return _in_full(status, answer, bodies)


def _in_full(status: int, answer: Answer, bodies: _Bodies) -> Json:
    described: Json = {"description": answer.says or HTTPStatus(status).phrase}
    if status in _HEADERS:
        described["headers"] = _HEADERS[status]
    if answer.gives is not None:
        described["content"] = bodies.content(answer.gives, "serialization", answer.media_type)
    return described


def _ids(operation: Operation) -> Iterator[Json]:
    for name in _PARAMETER.findall(operation.path):
        schema = {"type": "integer", "minimum": 1, "maximum": 2**63 - 1}
        yield {"name": name, "in": "path", "required": True, "schema": schema, "example": 1}


def _query(operation: Operation, bodies: _Bodies) -> Iterator[Json]:
    if operation.query is None:
        return
    schema = bodies.query(operation.query)
    for name, field in schema["properties"].items():
        stated = {key: value for key, value in _not_null(field).items() if key != "description"}
        parameter = {"name": name, "in": "query", "required": name in schema.get("required", ()), "schema": stated}
        yield parameter | ({"description": field["description"]} if "description" in field else {})


def _not_null(field: Mapping[str, Any]) -> Json:
    """What may be left out is left out: a query string has no null."""
    if "anyOf" not in field:
        return dict(field)
    variants = [variant for variant in field["anyOf"] if variant != {"type": "null"}]
    rest = {key: value for key, value in field.items() if key != "anyOf" and (key, value) != ("default", None)}
    return {**variants[0], **rest} if len(variants) == 1 else {"anyOf": variants, **rest}


def _headers(operation: Operation) -> Iterator[Json]:
    for header in operation.headers:
        yield {"name": header.name, "in": "header", "description": header.says, "schema": dict(header.schema)}


def _tag(operation: Operation) -> str:
    """The first word of the path that says what it is about: `users` of `/api/v1/users/{user_id}`."""
    words = [word for word in operation.path.split("/") if word]
    if words[:2] == ["api", "v1"] and len(words) > 2:
        return words[2]
    return OTHER_TAGS.get(operation.path, "system")


def _tags(operations: Sequence[Operation]) -> list[Json]:
    used = dict.fromkeys(_tag(operation) for operation in operations)
    known = [{"name": name, "description": text} for name, text in TAGS.items() if name in used]
    return known + [{"name": name} for name in used if name not in TAGS]
