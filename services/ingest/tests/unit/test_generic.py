"""What does a body have to be, and which alert does it make?"""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pagerpal_common.contracts.alerts import Alert
from pagerpal_common.errors import Forbidden
from pagerpal_common.vocabulary import AlertStatus, Severity
from pagerpal_ingest.domain.generic import parse
from pagerpal_ingest.domain.source import Source
from pagerpal_ingest.domain.texts import DESCRIPTION_LIMIT
from pydantic import ValidationError

from services.ingest.tests.conftest import START

SOURCE = Source(source_id=7, team_id=3, escalation_policy_id=11, config={"routing_team_ids": [4]}, is_active=True)


def parsed(repeat_key: str | None = None, **fields: Any) -> Alert:
    body = {"title": "disk full", "severity": "critical", **fields}
    return parse(json.dumps(body).encode(), SOURCE, repeat_key=repeat_key, at=START)


def problem(body: bytes) -> tuple[tuple[int | str, ...], str]:
    """Where the body fails, and how."""
    with pytest.raises(ValidationError) as refused:
        parse(body, SOURCE, repeat_key=None, at=START)
    (error,) = refused.value.errors()
    return error["loc"], error["type"]


def test_the_reference_s_body_becomes_an_alert_of_the_key_s_source_and_team() -> None:
    alert = parsed(description="for 10 minutes", team_id=3, external_id="cpu", source_id=7, severity="warning")

    assert alert.model_dump(exclude={"alert_id"}, exclude_defaults=True) == {
        "source_id": 7,
        "team_id": 3,
        "escalation_policy_id": 11,
        "external_id": "cpu",
        "status": AlertStatus.FIRING,
        "severity": Severity.WARNING,
        "title": "disk full",
        "description": "for 10 minutes",
        "received_at": START,
    }
    assert alert.alert_id.version == 7


def test_the_source_s_flap_time_travels_with_each_alert() -> None:
    flapping = Source(source_id=7, team_id=3, escalation_policy_id=11, config={"flap_seconds": 300}, is_active=True)

    alert = parse(b'{"title":"x","severity":"info"}', flapping, repeat_key=None, at=START)

    assert (alert.flap_seconds, parsed().flap_seconds) == (300, 0)


def test_null_stands_for_a_field_left_out_and_unknown_fields_are_ignored() -> None:
    alert = parsed(description=None, team_id=None, external_id=None, source_id=None, status=None, host={"a": [1]})

    assert (alert.description, alert.team_id, alert.external_id) == ("", 3, None)
    assert alert.status is AlertStatus.FIRING


def test_resolving_needs_an_external_id() -> None:
    assert parsed(status="resolved", external_id="cpu").status is AlertStatus.RESOLVED
    assert problem(b'{"title":"x","severity":"info","status":"resolved"}') == ((), "external_id_missing")


@pytest.mark.parametrize(
    ("title", "kept"),
    [
        ("  disk full \n", "disk full"),
        ("disk\r\nfull\u2028on\tdb-1", "disk full on db-1"),
        ("\u202ellufksid\u202c on \u2066db-1\u2069\u200f", "llufksid on db-1"),
        ("\u200b👩\u200d💻", "\u200b👩\u200d💻"),
        ("x" * 255, "x" * 255),
        ("x" * 256, "x" * 254 + "…"),
        ("  " + "🔥" * 100_000, "🔥" * 254 + "…"),
    ],
)
def test_a_title_is_stripped_and_a_long_one_cut(title: str, kept: str) -> None:
    assert parsed(title=title).title == kept


@settings(deadline=None, max_examples=50)
@given(st.text(alphabet=st.characters(exclude_categories=["Cc", "Cf", "Cs"])))
def test_a_description_is_cut_at_a_character_and_never_longer_than_its_limit(text: str) -> None:
    description = text + "é🔥x" * 3_000

    kept = parsed(description=description).description

    assert len(kept.encode()) <= DESCRIPTION_LIMIT
    assert kept.endswith("…")
    assert description.startswith(kept[:-1])
    assert len(kept.encode()) > DESCRIPTION_LIMIT - 8


def test_a_description_of_exactly_the_limit_is_kept_whole() -> None:
    assert parsed(description="x" * DESCRIPTION_LIMIT).description == "x" * DESCRIPTION_LIMIT
    assert parsed(description="x" * (DESCRIPTION_LIMIT + 1)).description.endswith("x…")


@pytest.mark.parametrize("field", ["title", "description", "external_id"])
@pytest.mark.parametrize("code", [c for c in range(0x20) if chr(c) not in "\t\n\r"])
def test_control_characters_are_refused_in_every_text(field: str, code: int) -> None:
    body = {"title": "x", "severity": "info", field: f"a{chr(code)}b"}

    assert problem(json.dumps(body).encode()) == ((field,), "control_character")


def test_a_title_that_strip_would_clean_of_a_control_character_is_refused_too() -> None:
    assert problem(b'{"title":"x\\u001f","severity":"info"}') == (("title",), "control_character")


def test_tabs_and_line_ends_are_kept() -> None:
    assert parsed(description="a\tb\r\nc").description == "a\tb\r\nc"


@pytest.mark.parametrize("end", ["\n", "\r\n", "\t"])
def test_a_line_end_as_it_is_means_what_it_means_spelled_out(end: str) -> None:
    body = json.dumps(
        {"title": "a~b", "severity": "info", "description": 'say \\"x\\" ~ y', "external_id": "e~1"}, indent=1
    )

    written, spelled = (body.replace("~", text) for text in (end, json.dumps(end)[1:-1]))

    assert _said(written) == _said(spelled)
    assert _said(written)["title"] == "a b"


def test_any_other_control_character_as_it_is_is_refused_as_one_that_is_spelled_out() -> None:
    assert problem(b'{"title":"a\x1bb","severity":"info"}') == (("title",), "control_character")
    assert problem(b'{"title":"a\x00b","severity":"info"}') == (("title",), "control_character")
    assert problem(b'{"title":"a","severity":\x01"info"}') == ((), "json_invalid")


def test_a_mark_of_the_byte_order_is_no_part_of_the_body() -> None:
    assert _said("\ufeff" + json.dumps({"title": "x", "severity": "info"}))["title"] == "x"


def test_what_a_status_may_be_is_said_in_plain_words() -> None:
    with pytest.raises(ValidationError) as refused:
        parse(b'{"title":"x","severity":"info","status":"ok"}', SOURCE, repeat_key=None, at=START)

    assert [error["msg"] for error in refused.value.errors()] == ["Input should be 'firing' or 'resolved'"]


def _said(body: str) -> dict[str, Any]:
    return parse(body.encode(), SOURCE, repeat_key=None, at=START).model_dump(exclude={"alert_id"})


def test_marks_that_turn_the_direction_of_reading_are_left_out_but_not_of_what_an_alert_is_known_by() -> None:
    assert parsed(description="a\u202eb\u2066\u061c\nc").description == "ab\nc"
    assert parsed(external_id="a\u202eb").external_id == "a\u202eb"


REQUIRED = '"title":"x","severity":"info"'


@pytest.mark.parametrize(
    ("body", "where", "how"),
    [
        ("", (), "json_invalid"),
        ("{", (), "json_invalid"),
        ("null", (), "model_type"),
        ("[]", (), "model_type"),
        ('"x"', (), "model_type"),
        ('{"severity":"info"}', ("title",), "missing"),
        ('{"title":"x"}', ("severity",), "missing"),
        ('{"title":" \\u2003","severity":"info"}', ("title",), "blank"),
        ('{"title":"\\u200b\\u200d\\ufeff \\u2060","severity":"info"}', ("title",), "blank"),
        ('{"title":"\\u202e\\u202c","severity":"info"}', ("title",), "blank"),
        ('{"title":"\\u3164\\u2800","severity":"info"}', ("title",), "blank"),
        ('{"title":5,"severity":"info"}', ("title",), "string_type"),
        ('{"title":null,"severity":"info"}', ("title",), "string_type"),
        ('{"title":"x","severity":"CRITICAL"}', ("severity",), "enum"),
        ('{"title":"x","severity":null}', ("severity",), "enum"),
        (f'{{{REQUIRED},"status":"open"}}', ("status",), "literal_error"),
        (f'{{{REQUIRED},"status":"acknowledged"}}', ("status",), "literal_error"),
        (f'{{{REQUIRED},"external_id":""}}', ("external_id",), "string_too_short"),
        (f'{{{REQUIRED},"external_id":"{"x" * 256}"}}', ("external_id",), "string_too_long"),
        (f'{{{REQUIRED},"external_id":5}}', ("external_id",), "string_type"),
        (f'{{{REQUIRED},"team_id":true}}', ("team_id",), "int_type"),
        (f'{{{REQUIRED},"team_id":"3"}}', ("team_id",), "int_type"),
        (f'{{{REQUIRED},"team_id":3.0}}', ("team_id",), "int_type"),
        (f'{{{REQUIRED},"source_id":7.0}}', ("source_id",), "int_type"),
        (f'{{{REQUIRED},"team_id":NaN}}', ("team_id",), "int_type"),
        (f'{{{REQUIRED},"team_id":{"9" * 5_000}}}', (), "json_invalid"),
        (f'{{{REQUIRED},"deep":{"[" * 100_000}}}', (), "json_invalid"),
        ('{"title":"\\ud800","severity":"info"}', (), "json_invalid"),
        ('{"title":"\\udc00\\ud800","severity":"info"}', (), "json_invalid"),
    ],
)
def test_a_body_that_does_not_fit_is_refused_where_it_fails(body: str, where: tuple[str, ...], how: str) -> None:
    assert problem(body.encode()) == (where, how)


@pytest.mark.parametrize("body", [b'{"title":"\xff","severity":"info"}', "{}".encode("utf-16")])
def test_only_utf8_is_read(body: bytes) -> None:
    assert problem(body) == ((), "json_invalid")


def test_an_idempotency_key_makes_the_same_alert_again_and_none_makes_a_new_one() -> None:
    again = parsed(repeat_key="a", title="other").alert_id

    assert parsed(repeat_key="a").alert_id == again
    assert parsed(repeat_key="b").alert_id != again
    assert parsed().alert_id != parsed().alert_id


def test_two_sources_with_the_same_idempotency_key_make_two_alerts() -> None:
    other = Source(source_id=8, team_id=3, escalation_policy_id=None, config=None, is_active=True)
    body = b'{"title":"x","severity":"info"}'

    ids = {parse(body, source, repeat_key="a", at=START).alert_id for source in (SOURCE, other)}

    assert len(ids) == 2


def test_a_body_that_names_another_source_is_forbidden() -> None:
    with pytest.raises(Forbidden):
        parsed(source_id=8)
