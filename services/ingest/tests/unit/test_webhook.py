"""In which dialect is a body, and is anything ever lost or broken by an odd one?"""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pagerpal_common.contracts.alerts import Alert
from pagerpal_common.errors import Unprocessable

from services.ingest.tests.unit.dialects import CORPUS, NAUGHTY, delivered, firing, group, only

Json = Any

_UNSTORABLE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")


def test_a_list_of_alerts_decides_and_not_what_is_said_of_the_group() -> None:
    body = group(firing(), title="[FIRING:1]", state="alerting", message="m", ruleId=1, ruleName="r")

    assert [alert.external_id for alert in delivered(body).alerts] == ["c6eadffa33fcdf37"]
    assert delivered(body).is_group


def test_one_alert_of_a_group_by_itself_is_read_like_in_its_group() -> None:
    alone, grouped = delivered(firing()), delivered(group(firing()))

    assert not alone.is_group
    assert [_said(alert) for alert in alone.alerts] == [_said(alert) for alert in grouped.alerts]


def test_a_single_alert_in_place_of_a_list_is_a_list_of_one() -> None:
    assert only({"status": "firing", "alerts": firing()}).external_id == "c6eadffa33fcdf37"


def test_a_legacy_body_with_an_empty_list_is_still_a_legacy_body() -> None:
    assert only({"title": "t", "state": "alerting", "ruleId": 3, "alerts": []}).external_id == "3"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\0",
        b"\xff\xfe",
        b"{",
        b"<alert/>",
        b"title=x",
        b"[" * 100_000,
        b'{"a":' * 20_000,
        b"null",
        b"true",
        b"1" * 6_000,
        b'"alerting"',
        b"[]",
        b"{}",
        b"[1,null]",
        b'{"alerts":[]}',
        b'{"alerts":[{}]}',
        b'{"alerts":[null,{"labels":{}}]}',
        b'{"alerts":"x"}',
        b'{"status":"a word of tomorrow"}',
        b'{"title":" ","ruleId":null,"labels":{}}',
        b'{"Type":"Notification","Message":"{}"}',
    ],
)
def test_a_body_from_which_nothing_can_be_understood_is_refused(body: bytes) -> None:
    with pytest.raises(Unprocessable) as refused:
        delivered(body)

    (problem,) = refused.value.problems
    assert set(problem) == {"type", "loc", "msg"}


def test_bytes_that_are_no_text_do_not_cost_the_alert() -> None:
    body = json.dumps(group(firing())).encode()

    assert only(b"\xef\xbb\xbf" + body).external_id == "c6eadffa33fcdf37"
    assert only(body.replace(b"Disk full", b"Disk \xff full")).title == "Disk \ufffd full on db-1"
    assert only(body.replace(b"Disk full", rb"\ud83d \u0000full")).title == "full on db-1"
    assert only(body.replace(b'"c6e', b'"\\ud800c6e')).external_id != "c6eadffa33fcdf37"
    assert only(body[:-1] + b',"x":' + b"9" * 6_000 + b',"y":NaN,"z":-1e400}').title == "Disk full on db-1"


@pytest.mark.parametrize("code", range(0x20))
def test_a_control_character_as_it_is_means_what_it_means_spelled_out(code: int) -> None:
    body = json.dumps({"title": "DB down~line2", "state": "alerting", "ruleId": "r~1", "labels": {"a~": "~b"}})
    written, spelled = (body.replace("~", text).encode() for text in (chr(code), f"\\u{code:04x}"))

    alert = only(written)

    assert alert.title == ("DB down line2" if code in {9, 10, 13} else "DB downline2")
    assert _said(alert) == _said(only(spelled))
    _check(alert)


def _bodies() -> Iterator[tuple[str, Json]]:
    folders = ("alertmanager", "grafana", "grafana_legacy")
    for path in sorted(path for folder in folders for path in CORPUS.glob(f"{folder}/*.json")):
        yield path.stem, json.loads(path.read_bytes())
    yield "group", group(firing(values={"A": 1}, valueString="x", dashboardURL="http://g/d"), truncatedAlerts=1)


def _places(value: Json, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """Where something is in a JSON value, leaves and branches."""
    if path:
        yield path
    if isinstance(value, dict):
        for name, part in value.items():
            yield from _places(part, (*path, name))
    elif isinstance(value, list):
        for number, part in enumerate(value):
            yield from _places(part, (*path, number))


def _with(value: Json, path: tuple[str | int, ...], put: Json) -> Json:
    """The same value with something else in a place."""
    if not path:
        return put
    copy: Json = dict(value) if isinstance(value, dict) else list(value)
    copy[path[0]] = _with(value[path[0]], path[1:], put)
    return copy


def _said(alert: Alert) -> dict[str, Any]:
    return alert.model_dump(exclude={"alert_id"})


def _check(alert: Alert) -> None:
    """It fits its columns and the bus, and offers nothing but the web to click."""
    assert alert.external_id
    assert len(alert.external_id) <= 255
    assert alert.title
    assert len(alert.title) <= 255
    assert len(alert.description.encode()) <= 16 * 1024
    assert len(alert.labels) <= 100
    assert all(link.href.lower().startswith(("http://", "https://")) for link in alert.links)
    texts = [alert.external_id, alert.title, alert.description, alert.note or "", *alert.labels, *alert.labels.values()]
    assert not _UNSTORABLE.search("".join(texts))
    assert Alert.model_validate_json(alert.model_dump_json()) == alert


def _survives(body: Json) -> int:
    """How many alerts it gives; it may be refused, and nothing else."""
    try:
        delivery = delivered(body)
    except Unprocessable:
        return 0
    for alert in delivery.alerts:
        _check(alert)
    return len(delivery.alerts)


@pytest.mark.parametrize("name", [name for name, _ in _bodies()])
def test_a_naughty_string_in_any_place_of_a_real_body_costs_no_alert(name: str) -> None:
    body = dict(_bodies())[name]
    usual = len(delivered(body).alerts)

    for place in _places(body):
        for text in NAUGHTY[::7]:
            found = _survives(_with(body, place, text))
            is_whole_alert = place[0] == "alerts" and len(place) <= 2
            assert found == usual or is_whole_alert, (place, text)


ODD: tuple[Json, ...] = (
    None,
    True,
    0,
    -1.5,
    1e308,
    10**17,
    "",
    "x" * 100_000,
    "\0",
    "\ud800",
    [],
    {},
    [[]],
    [{"name": 1}],
    {"a": {"b": [1, None, {"c": "\0"}]}},
    {"": ""},
    {f"label {number}": "x" * 3_000 for number in range(200)},
    [f"tag {number}" for number in range(300)],
)


@pytest.mark.parametrize("name", [name for name, _ in _bodies()])
def test_a_value_of_any_type_in_any_place_costs_at_most_the_alert_it_replaces(name: str) -> None:
    body = dict(_bodies())[name]
    usual = len(delivered(body).alerts)

    for place in _places(body):
        for odd in ODD:
            found = _survives(_with(body, place, odd))
            is_whole_alert = place[0] == "alerts" and len(place) <= 2
            assert found == usual or is_whole_alert, (place, odd)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters()),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
FIELDS = sorted({str(place[-1]) for _, body in _bodies() for place in _places(body) if isinstance(place[-1], str)})


@settings(max_examples=300, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(
    st.dictionaries(st.sampled_from(FIELDS), JSON, max_size=8),
    st.lists(st.dictionaries(st.sampled_from(FIELDS), JSON, max_size=6), max_size=3),
)
def test_no_json_at_all_breaks_the_door(body: dict[str, Json], alerts: list[Json]) -> None:
    _survives(body)
    _survives({**body, "alerts": alerts})
