"""How does an alert get to keep the form in which it was sent, and no secrets in its words? Whatever goes wrong with
that, the alert goes on.

An alert wakes people; its raw form helps one of them to understand it. So nothing here refuses, and an alert whose raw
form cannot be made is kept without it, and says so.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

import structlog
from pagerpal_common.contracts.alerts import Alert
from starlette.requests import Request

from pagerpal_ingest.domain.credentials import source_key
from pagerpal_ingest.domain.masked import masked
from pagerpal_ingest.domain.raw import UNKEPT, raw_alert
from pagerpal_ingest.domain.raw_parts import whole
from pagerpal_ingest.domain.reading import Unreadable
from pagerpal_ingest.domain.source import Source

log = structlog.get_logger(__name__)

R = TypeVar("R", Alert, Alert | Unreadable)


@dataclass(frozen=True)
class Sent:
    """What is known of how something was sent, beside its body."""

    content_type: str
    secrets: tuple[str, ...]
    """What nobody may read in it."""

    def all_of(self, alert: Alert, body: bytes) -> Alert:
        """The alert, with the whole body as its raw form."""
        (kept,) = self.each(lambda: [whole(body)], [alert])
        return kept

    def each(self, parts: Callable[[], Sequence[str]], readings: Sequence[R]) -> list[R]:
        """The readings of a body, each alert without secrets in its words and with its part of the body."""
        readings = [self._shown(reading) for reading in readings]
        try:
            return [self._with(reading, part) for reading, part in zip(readings, parts(), strict=True)]
        except Exception as error:  # noqa: BLE001 - an alert is not lost for what is only looked at
            log.error("alert.raw_not_kept", error=type(error).__name__)
            return [_unkept(reading) for reading in readings]

    def _shown(self, reading: R) -> R:
        if isinstance(reading, Unreadable):
            return reading
        try:
            return masked(reading, self.secrets)
        except Exception as error:  # noqa: BLE001 - rather read by too many than by nobody
            log.error("alert.not_masked", error=type(error).__name__)
            return reading

    def _with(self, reading: R, part: str) -> R:
        if isinstance(reading, Unreadable):
            return reading
        return reading.model_copy(update={"raw": raw_alert(part, self.content_type, self.secrets)})


def sent(request: Request, source: Source, key: str | None = None) -> Sent:
    """How a request of this source was sent; `key` is the source's, where the body has it."""
    found = source_key(request.scope["headers"], request.scope["query_string"]) if key is None else key
    secrets = [found, source.hmac_secret, json.dumps(source.hmac_secret)[1:-1]] if source.hmac_secret else [found]
    return Sent(request.headers.get("content-type", ""), tuple(secrets))


def _unkept(reading: R) -> R:
    return reading if isinstance(reading, Unreadable) else reading.model_copy(update={"raw": UNKEPT})
