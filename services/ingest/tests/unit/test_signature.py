"""Is a request signed as its source demands?"""

import hmac
from collections.abc import Mapping
from datetime import timedelta
from hashlib import sha256
from typing import Any

import pytest
from pagerpal_common.errors import Forbidden
from pagerpal_ingest.domain.signature import check
from pagerpal_ingest.domain.source import Source
from starlette.datastructures import Headers

from services.ingest.tests.conftest import START

BODY = b'{"status":"firing","alerts":[]}'
SECRET = "s3cret"
NOW = str(int(START.timestamp()))


def source(**config: Any) -> Source:
    return Source(7, 1, None, {"hmac_secret": SECRET, **config}, True)


def signed(body: bytes = BODY, secret: str = SECRET) -> str:
    return hmac.new(secret.encode(), body, sha256).hexdigest()


def is_accepted(headers: Mapping[str, str], **config: Any) -> bool:
    try:
        check(source(**config), Headers(headers), BODY, START)
    except Forbidden:
        return False
    return True


@pytest.mark.parametrize("config", [None, {}, {"hmac_secret": None}, {"hmac_secret": ""}])
def test_a_source_without_a_secret_demands_no_signature(config: dict[str, Any] | None) -> None:
    check(Source(7, 1, None, config, True), Headers({}), BODY, START)


@pytest.mark.parametrize("name", ["X-Grafana-Alerting-Signature", "x-grafana-alert-signature"])
def test_the_hash_of_the_body_is_a_signature(name: str) -> None:
    assert is_accepted({name: signed()})
    assert is_accepted({name: signed().upper()})
    assert is_accepted({name: "sha256=" + signed()})


@pytest.mark.parametrize("given", ["", "x", signed(BODY + b" "), signed(secret="other"), signed()[:-1], "ÿ", "é" * 64])
def test_any_other_is_refused(given: str) -> None:
    assert not is_accepted({"X-Grafana-Alerting-Signature": given})


def test_a_missing_signature_is_refused() -> None:
    assert not is_accepted({})
    assert not is_accepted({"Authorization": signed()})


def test_a_timestamp_is_signed_with_the_body() -> None:
    with_time = {"X-Grafana-Alerting-Timestamp": NOW}

    assert is_accepted({**with_time, "X-Grafana-Alerting-Signature": signed(f"{NOW}:".encode() + BODY)})
    assert not is_accepted({**with_time, "X-Grafana-Alerting-Signature": signed()})


@pytest.mark.parametrize(("seconds", "is_fresh"), [(0, True), (300, True), (301, False), (-300, True), (-301, False)])
def test_a_stale_timestamp_is_refused(seconds: int, is_fresh: bool) -> None:
    stamp = str(int((START - timedelta(seconds=seconds)).timestamp()))
    headers = {"My-Time": stamp, "My-Signature": signed(f"{stamp}:".encode() + BODY)}

    accepted = is_accepted(headers, hmac_header="My-Signature", hmac_timestamp_header="My-Time")

    assert accepted is is_fresh


@pytest.mark.parametrize("stamp", ["", "now", "1e9", "-5", "²", "9" * 5_000])
def test_a_timestamp_that_is_none_is_refused(stamp: str) -> None:
    headers = {"My-Time": stamp, "X-Grafana-Alerting-Signature": signed(f"{stamp}:".encode("latin-1") + BODY)}

    assert not is_accepted(headers, hmac_timestamp_header="My-Time")


def test_a_demanded_timestamp_cannot_be_left_out() -> None:
    assert not is_accepted({"X-Grafana-Alerting-Signature": signed()}, hmac_timestamp_header="My-Time")


def test_a_header_of_ones_own_replaces_the_usual_one() -> None:
    assert is_accepted({"My-Signature": signed()}, hmac_header="My-Signature")
    assert not is_accepted({"X-Grafana-Alerting-Signature": signed()}, hmac_header="My-Signature")


def test_a_secret_that_is_a_number_is_still_a_secret() -> None:
    check(source(hmac_secret=123), Headers({"X-Grafana-Alerting-Signature": signed(secret="123")}), BODY, START)
    assert not is_accepted({}, hmac_secret=123)
