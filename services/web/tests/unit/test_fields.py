"""Which values each kind of field takes."""

from datetime import UTC, datetime
from typing import Any

import pytest
from pagerpal_web import fields
from pagerpal_web.masking import masked
from pydantic import TypeAdapter, ValidationError

LARGEST = 2**63 - 1


def read(kind: Any, value: str) -> Any:
    """A field of this kind, out of JSON text."""
    return TypeAdapter(kind).validate_json(value, strict=True)


@pytest.mark.parametrize(
    ("kind", "value", "expected"),
    [
        (fields.Name, '"  Ana  "', "Ana"),
        (fields.Name, '"日本 🚨"', "日本 🚨"),
        (fields.Description, '"two\\nlines\\tand a tab"', "two\nlines\tand a tab"),
        (fields.Email, '"Ana.Lopez@EXAMPLE.org"', "Ana.Lopez@example.org"),
        (fields.Email, '"ana@corp.test"', "ana@corp.test"),
        (fields.Email, '"root@localnet"', "root@localnet"),
        (fields.Phone, '"+49 (170) 123-4567"', "+491701234567"),
        (fields.Timezone, '"Europe/Berlin"', "Europe/Berlin"),
        (fields.Id, str(LARGEST), LARGEST),
        (fields.Minutes, "5", 5.0),
        (fields.Minutes, "0.25", 0.25),
        (fields.Instant, '"2026-05-21T14:00:00+02:00"', datetime(2026, 5, 21, 12, tzinfo=UTC)),
        (fields.JsonObject, '{"a": [1, 2.5, true, null, {"b": "c"}]}', {"a": [1, 2.5, True, None, {"b": "c"}]}),
    ],
)
def test_taken(kind: Any, value: str, expected: object) -> None:
    assert read(kind, value) == expected


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        *((fields.Name, value) for value in ('""', '"   "', '"a\\u0000b"', '"a\\u001bb"', '"\\ud800"', "7", "null")),
        (fields.Name, f'"{"a" * 256}"'),
        (fields.Name, '"a\\nb"'),
        (fields.Description, '"a\\u0000b"'),
        *((fields.Email, f'"{value}"') for value in ("ana", "ana@", "@b.org", "a b@c.org", "a@b..org", "a@b.org\\n")),
        (fields.Email, f'"{"a" * 300}@b.org"'),
        *((fields.Phone, f'"{value}"') for value in ("0170 1234567", "+49", "+0", "abc", "", "+49170123456789012345")),
        *((fields.Timezone, f'"{value}"') for value in ("Berlin", "", "../../etc/passwd", "Europe/Berlin\\u0000")),
        *((fields.Id, value) for value in ("0", "-1", str(LARGEST + 1), "true", "1.0", '"1"', "null", "9" * 5000)),
        *(
            (fields.Minutes, value)
            for value in ("0", "-1", "NaN", "Infinity", "1e400", "525601", "true", '"5"', "1e-9")
        ),
        *((fields.Instant, value) for value in ('"2026-05-21T14:00:00"', '"2026-05-21"', "1700000000")),
        *((fields.Instant, f'"{year}-01-01T00:00:00Z"') for year in ("0001", "1999", "2100", "9999")),
        (fields.JsonObject, '{"a": {"b": ["\\u0000"]}}'),
        (fields.JsonObject, '{"\\u0000": 1}'),
        *((fields.JsonObject, f'{{"a": [{value}]}}') for value in ("NaN", "1e400", "-Infinity", "9" * 400)),
        (fields.JsonObject, "[]"),
        *((fields.Password, f'"{value}"') for value in ("a" * 11, "a" * 129)),
    ],
)
def test_refused(kind: Any, value: str) -> None:
    with pytest.raises(ValidationError):
        read(kind, value)


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("+491701234567", "+49…4567"),
        ("ana@example.org", "a…@example.org"),
        ("@example.org", "…@example.org"),
        ("https://example.org/hook/secret", "https://example.org/…"),
        ("tgram://123456789:secret/-1001234567", "tgram://…"),
        ("ntfys://secret@ntfy.example.org/secret", "ntfys://…"),
        ("12345678", "…"),
        ("", "…"),
        (None, None),
    ],
)
def test_an_address_is_shown_in_part(address: str | None, shown: str | None) -> None:
    assert masked(address) == shown
