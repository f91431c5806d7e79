"""What might a value of this schema look like? Put together from the examples of its fields, for the API's document."""

from collections.abc import Mapping
from typing import Any

Schema = Mapping[str, Any]

_BY_FORMAT: Mapping[str, str] = {
    "date-time": "2026-05-21T12:00:00Z",
    "uuid": "019e4a6c-8200-7000-8000-000000000001",
    "password": "a long password of somebody",
}


def example_of(schema: Schema, components: Mapping[str, Schema]) -> Any:
    """A value of this schema: its own example, else made of those of its parts. A field that may be left out and has
    no example is left out."""
    for stated in ("examples", "enum"):
        if schema.get(stated):
            return schema[stated][0]
    for stated in ("const", "default"):
        if schema.get(stated) is not None:
            return schema[stated]
    if "$ref" in schema:
        return example_of(components[schema["$ref"].rpartition("/")[2]], components)
    variants = schema.get("anyOf") or schema.get("oneOf")
    if variants:
        return example_of(variants[0], components)
    return _of_type(schema, components)


def _of_type(schema: Schema, components: Mapping[str, Schema]) -> Any:
    match schema.get("type"):
        case "object":
            required = schema.get("required", ())
            return {
                name: example_of(field, components)
                for name, field in schema.get("properties", {}).items()
                if name in required or _is_illustrated(field)
            }
        case "array":
            return [example_of(schema["items"], components)] if schema.get("items") else []
        case "string":
            return _BY_FORMAT.get(schema.get("format", ""), "text")
        case "integer":
            return schema.get("minimum", 1)
        case "number":
            return 1.5
        case "boolean":
            return True
    return None


def _is_illustrated(field: Schema) -> bool:
    return "examples" in field or any("examples" in variant for variant in field.get("anyOf", ()))
