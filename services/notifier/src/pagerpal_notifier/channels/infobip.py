"""How is Infobip spoken to? What its channels, SMS and voice, share: one message out, and what became of some.

Our message id travels with each message, and Infobip refuses one that it has seen (status 23): so a try whose outcome
is unknown can be repeated safely.
"""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

import httpx
from pagerpal_common.contracts.receipts import DeliveryReceipt
from pagerpal_common.errors import Unavailable
from pagerpal_common.infobip import read_result
from pydantic_core import from_json

from pagerpal_notifier.channels import POLL_LIMIT
from pagerpal_notifier.channels.spread import Spread
from pagerpal_notifier.domain.answers import read_infobip
from pagerpal_notifier.domain.delivery import Outcome, Verdict
from pagerpal_notifier.domain.page import Claim
from pagerpal_notifier.in_flight import LIMIT
from pagerpal_notifier.settings import NotifierSettings

CONNECT_SECONDS = 2.0
"""Shorter than a whole send may take: a provider that cannot be reached is known to have nothing."""

POLLED_AT_ONCE = 4
"""Questions under way at a time: they leave most connections to pages."""

LONGEST_LOG = 256 * 1024
"""Bytes of the answer to one question, which is about one message."""

# Nothing of the request has left us yet.
_NOTHING_WRITTEN = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)


def client(settings: NotifierSettings) -> httpx.AsyncClient | None:
    """Connections, kept alive between pages; None without an account. The caller limits every exchange's time."""
    if settings.infobip_base_url is None or settings.infobip_api_key is None:
        return None
    return httpx.AsyncClient(
        base_url=settings.infobip_base_url,
        headers={"Authorization": f"App {settings.infobip_api_key.get_secret_value()}", "Accept": "application/json"},
        timeout=httpx.Timeout(None, connect=CONNECT_SECONDS, pool=CONNECT_SECONDS),
        transport=Spread(LIMIT),
        follow_redirects=False,
        trust_env=False,
    )


async def post(http: httpx.AsyncClient, path: str, message: Mapping[str, Any]) -> Outcome:
    """Hand one message over."""
    try:
        answer = await http.post(path, json={"messages": [message]})
    except _NOTHING_WRITTEN as error:
        return Outcome(Verdict.DEFERRED, f"Infobip cannot be reached: {type(error).__name__}", is_outage=True)
    except httpx.RequestError as error:
        return Outcome(Verdict.UNKNOWN, f"Infobip did not answer: {type(error).__name__}", is_outage=True)
    return read_infobip(answer.status_code, answer.content, retry_after=answer.headers.get("Retry-After"))


def destination(claim: Claim) -> dict[str, str]:
    """E.164 without the plus, as in every example of both APIs."""
    return {"to": claim.address.lstrip("+"), "messageId": str(claim.attempt_id)}


async def poll(http: httpx.AsyncClient, path: str, ids: Sequence[UUID]) -> Mapping[UUID, DeliveryReceipt]:
    """What the log at `path` says of these messages, as `channels.Poll` promises.

    The logs, and not the reports: "The API returns each report only once" (sms.openapi.json, /sms/3/reports), so an
    answer that got lost would be lost for good, and taken from whoever else reads them. The logs go back 48 hours.

    Raises:
        Unavailable: there is no answer, or none that can be read.
    """
    if len(ids) > POLL_LIMIT:
        raise ValueError(f"at most {POLL_LIMIT} messages at a time, not {len(ids)}")
    places = asyncio.Semaphore(POLLED_AT_ONCE)

    async def ask(message_id: UUID) -> DeliveryReceipt | None:
        async with places:
            return await _look_up(http, path, message_id)

    answers = await asyncio.gather(*map(ask, ids), return_exceptions=True)
    for answer in answers:
        if isinstance(answer, BaseException):
            raise answer
    return {answer.message_id: answer for answer in answers if isinstance(answer, DeliveryReceipt)}


async def _look_up(http: httpx.AsyncClient, path: str, message_id: UUID) -> DeliveryReceipt | None:
    try:
        async with http.stream("GET", path, params={"messageId": str(message_id), "limit": 1}) as answer:
            body = await _bounded(answer)
    except httpx.HTTPError as error:
        raise Unavailable(f"Infobip has not said what became of a message: {type(error).__name__}") from None
    if answer.status_code != httpx.codes.OK:
        raise Unavailable(f"Infobip has not said what became of a message: HTTP {answer.status_code}")
    try:
        results = from_json(body)["results"]
        said = [one for one in map(read_result, results) if one is not None and one.message_id == message_id]
    except (ValueError, KeyError, TypeError):
        raise Unavailable("Infobip's log cannot be read") from None
    return said[0] if said else None


async def _bounded(answer: httpx.Response) -> bytes:
    body = b""
    async for chunk in answer.aiter_bytes(16 * 1024):
        body += chunk
        if len(body) > LONGEST_LOG:
            raise Unavailable("Infobip's log is too long")
    return body
