"""What might a value of this schema look like? Put together from its parts, for the API's document.

A type that wants another example states one (`json_schema_extra`, `Field(examples=…)`); the reference's own bodies do.
"""

from collections.abc import Mapping
from typing import Any

Schema = Mapping[str, Any]

BY_NAME: Mapping[str, Any] = {
    "name": "Platform",
    "user_name": "Ana",
    "schedule_name": "First line",
    "email": "ana@example.org",
    "phone": "+491701234567",
    "timezone": "Europe/Berlin",
    "title": "CPU > 95% on prod-api-03",
    "description": "CPU has been above 95% for 10 minutes",
    "external_id": "prod-api-03-cpu-high",
    "masked_api_key": "abc12345…wxyz",
    "api_key": "<revealed-once-alert-source-key>",
    "event_type": "acknowledged",
    "message": "Incident acknowledged",
    "href": "https://grafana.example.org/d/rds",
    "text": "Dashboard",
    "detail": "there is no incident 42",
    "loc": ["body", "severity"],
    "msg": "Field required",
    "type": "missing",
    "ends_at": "2026-05-21T20:00:00Z",
    "timeout_minutes": 5,
    "reminder_minutes": 30,
    "repeat_count": 0,
    "total": 125,
    "page": 1,
    "page_size": 50,
    "total_pages": 3,
    "current_escalation_level": 0,
    "notification_count": 0,
    "is_unreached": False,
    "is_override": False,
}
"""Fields that mean the same wherever they are."""

_BY_FORMAT: Mapping[str, str] = {
    "date-time": "2026-05-21T12:00:00Z",
    "uuid": "019e4a6c-8200-7000-8000-000000000001",
    "password": "a-long-password-of-somebody",
}


def example_of(schema: Schema, components: Mapping[str, Schema], name: str = "") -> Any:
    """A value of this schema, under this name: its own example, else one that its name, format or type suggests. What
    may be null is, and what may be left out is left out, unless there is an example of it."""
    for stated in ("examples", "enum"):
        if schema.get(stated):
            return schema[stated][0]
    for stated in ("const", "default"):
        if schema.get(stated) is not None:
            return schema[stated]
    if "$ref" in schema:
        return example_of(components[schema["$ref"].rpartition("/")[2]], components, name)
    variants = schema.get("anyOf") or schema.get("oneOf")
    if variants:
        is_null = {"type": "null"} in variants and not _is_illustrated(variants[0], name)
        return None if is_null else example_of(variants[0], components, name)
    return _of_type(schema, components, name)


def _of_type(schema: Schema, components: Mapping[str, Schema], name: str) -> Any:
    if name in BY_NAME:
        return BY_NAME[name]
    match schema.get("type"):
        case "object":
            required = schema.get("required", ())
            return {
                name: example_of(field, components, name)
                for name, field in schema.get("properties", {}).items()
                if name in required or _is_illustrated(field, name)
            }
        case "array":
            return [example_of(schema["items"], components)] if schema.get("items") else []
        case "string":
            return _BY_FORMAT.get(schema.get("format", ""), "text")
        case "integer":
            return schema.get("minimum", 1)
        case "number":
            return schema.get("minimum", 1)
        case "boolean":
            return True
    return None


def _is_illustrated(field: Schema, name: str) -> bool:
    return name in BY_NAME or any("examples" in part for part in (field, *field.get("anyOf", ())))
