"""What each answer of a provider means."""

import json
from datetime import timedelta

import pytest
from pagerpal_notifier.domain.answers import read_infobip, read_smtp
from pagerpal_notifier.domain.delivery import Outcome, Verdict

ACCEPTED, DEFERRED, REFUSED, UNKNOWN = Verdict.ACCEPTED, Verdict.DEFERRED, Verdict.REFUSED, Verdict.UNKNOWN

# All general statuses of https://www.infobip.com/docs/essentials/response-status-and-error-codes.
STATUSES = [
    (3, "PENDING_WAITING_DELIVERY", 1, "PENDING", ACCEPTED),
    (7, "PENDING_ENROUTE", 1, "PENDING", ACCEPTED),
    (26, "PENDING_ACCEPTED", 1, "PENDING", ACCEPTED),
    (4, "UNDELIVERABLE_REJECTED_OPERATOR", 2, "UNDELIVERABLE", REFUSED),
    (9, "UNDELIVERABLE_NOT_DELIVERED", 2, "UNDELIVERABLE", REFUSED),
    (31, "UNDELIVERABLE_NOT_SENT", 2, "UNDELIVERABLE", REFUSED),
    (2, "DELIVERED_TO_OPERATOR", 3, "DELIVERED", ACCEPTED),
    (5, "DELIVERED_TO_HANDSET", 3, "DELIVERED", ACCEPTED),
    (15, "EXPIRED_EXPIRED", 4, "EXPIRED", DEFERRED),
    (29, "EXPIRED_DLR_UNKNOWN", 4, "EXPIRED", DEFERRED),
    (87, "SIGNALS_BLOCKED", 4, "EXPIRED", DEFERRED),
    (6, "REJECTED_NETWORK", 5, "REJECTED", REFUSED),
    (8, "REJECTED_PREFIX_MISSING", 5, "REJECTED", REFUSED),
    (10, "REJECTED_DND", 5, "REJECTED", REFUSED),
    (11, "REJECTED_SOURCE", 5, "REJECTED", REFUSED),
    (12, "REJECTED_NOT_ENOUGH_CREDITS", 5, "REJECTED", DEFERRED),
    (13, "REJECTED_SENDER", 5, "REJECTED", REFUSED),
    (14, "REJECTED_DESTINATION_BLOCKLISTED", 5, "REJECTED", REFUSED),
    (17, "REJECTED_PREPAID_PACKAGE_EXPIRED", 5, "REJECTED", DEFERRED),
    (18, "REJECTED_DESTINATION_NOT_REGISTERED", 5, "REJECTED", REFUSED),
    (19, "REJECTED_ROUTE_NOT_AVAILABLE", 5, "REJECTED", REFUSED),
    (20, "REJECTED_FLOODING_FILTER", 5, "REJECTED", REFUSED),
    (21, "REJECTED_SYSTEM_ERROR", 5, "REJECTED", DEFERRED),
    (23, "REJECTED_DUPLICATE_MESSAGE_ID", 5, "REJECTED", ACCEPTED),
    (24, "REJECTED_INVALID_UDH", 5, "REJECTED", REFUSED),
    (25, "REJECTED_MESSAGE_TOO_LONG", 5, "REJECTED", REFUSED),
    (51, "MISSING_TO", 5, "REJECTED", REFUSED),
    (52, "REJECTED_DESTINATION", 5, "REJECTED", REFUSED),
    (99, "REJECTED", 5, "REJECTED", REFUSED),
    (100, "UNDELIVERABLE_REJECTED_PLATFORM", 5, "REJECTED", DEFERRED),
]


def sent(**status: object) -> Outcome:
    return read_infobip(200, json.dumps({"messages": [{"status": status}]}).encode(), retry_after=None)


@pytest.mark.parametrize(("number", "name", "group", "group_name", "verdict"), STATUSES)
def test_every_status_of_infobip(number: int, name: str, group: int, group_name: str, verdict: Verdict) -> None:
    outcome = sent(id=number, name=name, groupId=group, groupName=group_name, description="words")

    assert outcome == Outcome(verdict, f"Infobip: {name} words")


@pytest.mark.parametrize(("number", "name", "group", "group_name", "verdict"), STATUSES)
def test_a_status_is_known_by_its_names_alone_and_by_its_numbers_alone(
    number: int, name: str, group: int, group_name: str, verdict: Verdict
) -> None:
    assert sent(name=name, groupName=group_name).verdict is verdict
    assert sent(id=number, groupId=group).verdict is verdict


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"not json",
        b"<html>",
        b"[]",
        b"{}",
        b'{"messages": []}',
        b'{"messages": [{}]}',
        b'{"messages": [{"status": {}}, {"status": {}}]}',
        b'{"messages": [{"status": {"groupId": 77}}]}',
        b'{"messages": [{"status": {"groupName": "SOMETHING_NEW"}}]}',
        b'{"messages": [{"status": {}}]}',
        b'{"messages": [{"status": null}]}',
    ],
)
def test_a_success_that_cannot_be_read_leaves_the_outcome_unknown(body: bytes) -> None:
    assert read_infobip(200, body, retry_after=None).verdict is UNKNOWN


@pytest.mark.parametrize(
    ("status", "verdict"),
    [
        (301, REFUSED),
        (400, REFUSED),
        (403, REFUSED),
        (404, REFUSED),
        (408, UNKNOWN),
        (413, REFUSED),
        (429, DEFERRED),
        (500, UNKNOWN),
        (502, UNKNOWN),
        (503, UNKNOWN),
        (504, UNKNOWN),
        (599, UNKNOWN),
    ],
)
def test_every_kind_of_http_error(status: int, verdict: Verdict) -> None:
    outcome = read_infobip(status, b"<html>sorry</html>", retry_after=None)

    assert outcome == Outcome(verdict, f"Infobip: HTTP {status}", is_outage=verdict is UNKNOWN)


def test_a_wrong_key_is_the_provider_s_trouble_and_not_the_message_s() -> None:
    outcome = read_infobip(401, b"", retry_after=None)

    assert outcome == Outcome(DEFERRED, "Infobip: HTTP 401", is_outage=True, is_locked_out=True)


@pytest.mark.parametrize(
    ("given", "seconds"),
    [(None, 0), ("7", 7), ("0", 0), ("86400", 60), ("9" * 5000, 60), ("soon", 0), ("-1", 0), ("\u0663", 0)],
)
def test_retry_after_is_kept_within_a_minute(given: str | None, seconds: int) -> None:
    assert read_infobip(429, b"", retry_after=given).wait == timedelta(seconds=seconds)


def test_both_shapes_of_an_error_are_told_without_numbers_in_them() -> None:
    sms = {"errorCode": "E400", "description": "+436641234567 is no number", "action": "", "violations": []}
    voice = {"requestError": {"serviceException": {"messageId": "BAD_REQUEST", "text": "to: 43664 1234567"}}}

    assert read_infobip(400, json.dumps(sms).encode(), retry_after=None).detail == (
        "Infobip: HTTP 400 E400 [number] is no number"
    )
    assert read_infobip(400, json.dumps(voice).encode(), retry_after=None).detail == (
        "Infobip: HTTP 400 BAD_REQUEST to: [number]"
    )


def test_a_description_is_told_without_the_number_in_it() -> None:
    outcome = sent(id=52, name="REJECTED_DESTINATION", groupId=5, description="Invalid destination 436641234567.")

    assert outcome.detail == "Infobip: REJECTED_DESTINATION Invalid destination [number]."


@pytest.mark.parametrize(
    ("code", "verdict"),
    [(421, DEFERRED), (450, DEFERRED), (535, REFUSED), (550, REFUSED), (354, UNKNOWN), (-1, UNKNOWN)],
)
def test_smtp_replies(code: int, verdict: Verdict) -> None:
    outcome = read_smtp(code, "5.1.1 <ana@example.com> unknown")

    assert outcome == Outcome(verdict, f"mail server: {code} 5.1.1 <[address]> unknown", is_outage=code == 421)
