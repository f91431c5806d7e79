"""Is a request signed as its source demands? Grafana's HMAC: hex SHA-256 over the body, or over `timestamp:body`
(grafana/alerting `http/hmac.go`; "HMAC signature" of its webhook documentation)."""

import hmac
from collections.abc import Mapping
from datetime import datetime
from hashlib import sha256

from pagerpal_common.errors import Forbidden

from pagerpal_ingest.domain.source import Source
from pagerpal_ingest.domain.texts import text_of

SIGNATURES = ("x-grafana-alerting-signature", "x-grafana-alert-signature")
"""What Grafana's documentation and its code call the header; `config.hmac_header` names another."""

TIMESTAMPS = ("x-grafana-alerting-timestamp", "x-grafana-alerting-signature-timestamp")
"""Grafana sends none unless told; `config.hmac_timestamp_header` names one, and then demands it."""

OLDEST_SECONDS = 300


def check(source: Source, headers: Mapping[str, str], body: bytes, at: datetime) -> None:
    """Nothing, when the source demands no signature or the request has the right one. Names of `headers` have any case.

    Raises:
        Forbidden: the signature or the timestamp that the source demands is missing, wrong or stale.
    """
    secret = source.hmac_secret
    if not secret:
        return
    demanded = _named(source, "hmac_timestamp_header")
    timestamp = _first(headers, [demanded] if demanded else TIMESTAMPS)
    if timestamp is None and demanded:
        raise Forbidden("the source demands a signed timestamp")
    if timestamp is not None and not _is_fresh(timestamp, at):
        raise Forbidden("the timestamp of the signature is stale")
    header = _named(source, "hmac_header")
    given = _first(headers, [header] if header else SIGNATURES) or ""
    signed = body if timestamp is None else timestamp.encode("latin-1") + b":" + body
    right = hmac.new(secret.encode(), signed, sha256).hexdigest()
    if not hmac.compare_digest(given.removeprefix("sha256=").lower().encode("latin-1"), right.encode()):
        raise Forbidden("the signature that the source demands is missing or wrong")


def _named(source: Source, setting: str) -> str:
    return text_of((source.config or {}).get(setting)).strip()


def _first(headers: Mapping[str, str], names: list[str] | tuple[str, ...]) -> str | None:
    return next((headers[name].strip() for name in names if name in headers), None)


def _is_fresh(timestamp: str, at: datetime) -> bool:
    is_number = timestamp.isascii() and timestamp.isdecimal() and len(timestamp) <= 12
    return is_number and abs(at.timestamp() - int(timestamp)) <= OLDEST_SECONDS
