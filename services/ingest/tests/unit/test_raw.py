"""What is kept of an alert as it was sent, of any body that anybody sends?"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pagerpal_common.contracts.alerts import RAW_LIMIT, RawAlert
from pagerpal_common.errors import Unprocessable
from pagerpal_ingest.domain import raw_parts, webhook
from pagerpal_ingest.domain.raw import UNKEPT, raw_alert
from pagerpal_ingest.domain.reading import Unreadable
from pagerpal_ingest.domain.secrets import MASK
from pagerpal_ingest.domain.sns import read
from pagerpal_ingest.raw import Sent

from services.ingest.tests.conftest import START, an_alert

from .dialects import CORPUS, SOURCE, firing, group

KEY = "pp_" + "k" * 43
HOW = Sent("application/json", (KEY, ""))

GROUPS = sorted(path for name in ("alertmanager", "grafana") for path in (CORPUS / name).glob("*.json"))
ALONE = sorted((CORPUS / "grafana_legacy").glob("*.json"))
OF_SNS = sorted(path for name in ("cloudwatch", "sns", "sns_signed") for path in (CORPUS / name).glob("*.json"))

HIDDEN = ("Signature", "SigningCertURL", "UnsubscribeURL", "SubscribeURL", "Token", "SigningCertUrl", "UnsubscribeUrl")


def named(path: Path) -> str:
    return f"{path.parent.name}/{path.name}"


@pytest.mark.parametrize("path", GROUPS, ids=named)
def test_of_a_group_each_alert_is_the_body_without_the_others(path: Path) -> None:
    body = path.read_bytes()
    said = json.loads(body)
    parts = raw_parts.of_group(body, len(said["alerts"]))

    raws = [raw_alert(part, "application/json", [KEY]) for part in parts]

    assert [json.loads(raw.text or "") for raw in raws] == [{**said, "alerts": [alert]} for alert in said["alerts"]]
    assert not any(raw.is_cut for raw in raws)


@pytest.mark.parametrize("path", ALONE, ids=named)
def test_an_alert_by_itself_is_the_body_to_the_letter(path: Path) -> None:
    body = path.read_bytes()

    raw = raw_alert(raw_parts.whole(body), "", [KEY])

    assert raw == RawAlert(text=body.decode(), size=len(body))


@pytest.mark.parametrize("path", OF_SNS, ids=named)
def test_a_message_of_sns_is_all_but_what_nobody_may_know(path: Path) -> None:
    body = path.read_bytes()
    said = json.loads(body)
    envelopes = [record["Sns"] for record in said["Records"]] if "Records" in said else [said]

    parts = raw_parts.of_sns(body, [message.record for message in read(body, {})])

    raws = [raw_alert(part, "text/plain", [KEY]) for part in parts]
    assert [json.loads(raw.text or "") for raw in raws] == [
        {name: value for name, value in envelope.items() if name not in HIDDEN} for envelope in envelopes
    ]


@pytest.mark.parametrize("odd", [b"\xef\xbb\xbf%s", b"%s\n", b'{"N":' + b"9" * 5000 + b',"S":"\\ud83d","a":"\n",%s'])
def test_a_carelessly_written_message_of_sns_hides_its_token_too(odd: bytes) -> None:
    said = b'{"Type":"UnsubscribeConfirmation","Message":"x","Token":"hunter2-is-the-token"}'
    body = odd % (said if odd.endswith((b"%s\n", b"\xbf%s")) else said[1:])

    (kept,) = HOW.each(lambda: raw_parts.of_sns(body, [None]), [an_alert()])

    assert kept.raw is not None
    assert "UnsubscribeConfirmation" in (kept.raw.text or "")
    assert "hunter2-is-the-token" not in (kept.raw.text or "")


def test_each_alert_of_a_lambda_event_keeps_its_own_record() -> None:
    body = b'{"Records":[{},{"Sns":{"Message":"one"}},{"Sns":{"Message":"two"}}]}'

    assert raw_parts.of_sns(body, [1, 2, 2]) == ['{"Message":"one"}', '{"Message":"two"}', '{"Message":"two"}']


def test_the_order_numbers_and_names_given_twice_stay_as_they_were_sent() -> None:
    body = b'{"z": 1e5, "a": [1.0, 123456789012345678901234567890], "alerts": [ {"b":NaN, "b":0.10} , {} ], "z": 2}'

    assert raw_parts.of_group(body, 2) == [
        '{"z": 1e5, "a": [1.0, 123456789012345678901234567890], "alerts": [{"b":NaN, "b":0.10}], "z": 2}',
        '{"z": 1e5, "a": [1.0, 123456789012345678901234567890], "alerts": [{}], "z": 2}',
    ]


def test_a_line_end_within_a_text_stays_where_it_is() -> None:
    body = b'{"title": "a\nb", "alerts": [{"x": "1\n2"}, {"x": "\t3"}]}'

    assert raw_parts.of_group(body, 2) == [
        '{"title": "a\nb", "alerts": [{"x": "1\n2"}]}',
        '{"title": "a\nb", "alerts": [{"x": "\t3"}]}',
    ]


def test_what_a_body_says_of_all_its_alerts_is_left_out_where_it_is_long() -> None:
    body = json.dumps(group({"a": 1}, {"b": 2}, message="long " * 1000)).encode()

    assert raw_parts.of_group(body, 2) == ['{"a": 1}', '{"b": 2}']


def test_a_list_without_anything_around_it_is_its_alerts() -> None:
    assert raw_parts.of_group(b'\xef\xbb\xbf [{"a": 1} , {"b": 2}]\n', 2) == ['{"a": 1}', '{"b": 2}']


def test_of_two_lists_with_that_name_the_last_counts_as_for_whoever_reads_it() -> None:
    parts = raw_parts.of_group(b'{"alerts": [0, 1, 2], "alerts": [{"a": 1}, {"b": 2}]}', 2)

    assert [json.loads(part) for part in parts] == [{"alerts": [{"a": 1}]}, {"alerts": [{"b": 2}]}]


def test_a_long_body_is_cut_between_letters_and_says_so() -> None:
    raw = raw_alert("é" * 60_000, "text/plain", [KEY])

    assert raw == RawAlert(text="é" * 8192, size=120_000, is_cut=True, content_type="text/plain")


@pytest.mark.parametrize("place", [0, RAW_LIMIT - 60, RAW_LIMIT - 20, RAW_LIMIT - 1, RAW_LIMIT])
def test_a_key_across_the_cut_leaves_no_half_of_it(place: int) -> None:
    raw = raw_alert("x" * place + KEY + "x" * RAW_LIMIT, "", [KEY])

    assert raw.text is not None
    assert "pp_" not in raw.text
    assert raw.is_cut


def test_what_is_just_short_enough_is_not_cut() -> None:
    assert raw_alert("x" * RAW_LIMIT, "", []) == RawAlert(text="x" * RAW_LIMIT, size=RAW_LIMIT)


def test_what_cannot_be_stored_is_spelled() -> None:
    raw = raw_alert("a\0b\x1b\ud800\x9f\t\n", "text/\0", [KEY])

    assert raw.text == "a\\u0000b\\u001b\\ud800\\u009f\t\n"
    assert raw.content_type == "text/\\u0000"


def test_a_content_type_is_short_and_without_keys() -> None:
    assert raw_alert("", "x" * 5000, []).content_type == "x" * 100
    assert raw_alert("", f"text/{KEY}", [KEY]).content_type == f"text/{MASK}"
    assert raw_alert("", "", []).content_type is None


def test_an_alert_whose_parts_cannot_be_told_apart_goes_on_without_them() -> None:
    alerts = [an_alert("a"), an_alert("b")]

    kept = HOW.each(lambda: ["only one"], alerts)

    assert [alert.title for alert in kept] == ["a", "b"]
    assert [alert.raw for alert in kept] == [UNKEPT, UNKEPT]


def fits(raw: RawAlert) -> bool:
    """Whether PostgreSQL stores it, in a column and within JSON, and the bus carries it."""
    text = raw.text or ""
    encoded = text.encode()  # no half of a pair of surrogates
    assert "\0" not in text
    return len(encoded) <= RAW_LIMIT and RawAlert.model_validate_json(raw.model_dump_json()) == raw


@given(st.text(st.characters()) | st.text(st.sampled_from('\\"u0{}[]:,pk\0\ud800\u202e é\n&=?@/')))
def test_any_text_can_be_kept(text: str) -> None:
    raw = raw_alert(text, text, [KEY])

    assert fits(raw)
    assert raw.size == len(text.encode(errors="surrogatepass"))


@given(st.binary() | st.text().map(str.encode))
def test_any_bytes_can_be_kept(body: bytes) -> None:
    kept = HOW.all_of(an_alert(), body)

    assert kept.raw is not None
    assert kept.raw.text is not None
    assert fits(kept.raw)


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)
ALERTS = st.lists(
    st.dictionaries(st.text(), VALUES).map(lambda more: firing(**more)) | VALUES | st.just(firing(note=KEY)), min_size=1
)
WRITTEN: list[Callable[[Any], str]] = [
    json.dumps,
    lambda said: json.dumps(said, ensure_ascii=False, indent=1),
    lambda said: json.dumps(said, separators=(",", ":")),
]


@given(ALERTS, st.dictionaries(st.text(), VALUES), st.sampled_from(WRITTEN))
def test_whatever_a_group_says_each_of_its_alerts_has_its_part(
    alerts: list[Any], more: dict[str, Any], written: Callable[[Any], str]
) -> None:
    body = written({**more, "alerts": alerts}).encode(errors="surrogatepass")
    try:
        delivery = webhook.parse(body, SOURCE, at=START)
    except Unprocessable:
        return

    kept = HOW.each(lambda: raw_parts.of_group(body, len(delivery.readings)), delivery.readings)

    raws = [reading.raw for reading in kept if not isinstance(reading, Unreadable)]
    assert len(raws) == len(delivery.alerts)
    for raw in raws:
        assert raw is not None
        assert raw.text is not None
        assert fits(raw)
        assert KEY not in raw.text


@given(st.dictionaries(st.text() | st.sampled_from(["Type", "Token", "Signature"]), VALUES, min_size=1), VALUES)
def test_whatever_a_message_of_sns_says_it_can_be_kept_and_hides_its_token(said: dict[str, Any], message: Any) -> None:
    body = json.dumps(said | {"Message": json.dumps(message), "Token": "hunter2-is-the-token"}).encode()

    (kept,) = HOW.each(lambda: raw_parts.of_sns(body, [None]), [an_alert()])

    assert kept.raw is not None
    assert kept.raw.text is not None or kept.raw == UNKEPT
    assert fits(kept.raw)
    assert "hunter2-is-the-token" not in (kept.raw.text or "")


@pytest.mark.parametrize("deep", ["[" * 100_000, '{"a":' * 100_000, "[" * 500 + "]" * 500])
def test_deep_json_is_kept_as_text(deep: str) -> None:
    kept = HOW.all_of(an_alert(), deep.encode())

    assert kept.raw is not None
    assert kept.raw.text == deep[:RAW_LIMIT]
