"""What becomes of a delivery of Amazon SNS? It is believed or refused; a subscription is confirmed; others are alerts.

In this order, so that nothing is fetched for a message that will be refused: its topic, its signature, and only then
the confirmation. Everything that may be better in a minute is 503: after a 4xx SNS drops the message for good.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta

import structlog
from pagerpal_common.clock import Now
from pagerpal_common.contracts.alerts import Alert
from pagerpal_common.db import Database
from pagerpal_common.errors import Forbidden, Unavailable

from pagerpal_ingest import storage
from pagerpal_ingest.amazon import Fetch
from pagerpal_ingest.certificates import Certificates
from pagerpal_ingest.domain.choices import check_topic, demands_signature, topics
from pagerpal_ingest.domain.cloudwatch import to_alerts
from pagerpal_ingest.domain.sns import Kind, SnsMessage, read
from pagerpal_ingest.domain.sns_signature import check_signature, is_timely
from pagerpal_ingest.domain.sns_urls import certificate_url, confirmation_url
from pagerpal_ingest.domain.source import Source

log = structlog.get_logger(__name__)

WITHOUT_CERTIFICATE = timedelta(seconds=30)
"""How long a certificate may be missing before messages are taken unverified. SNS by default comes four times within
60 s: the first times it is told to come again, the last time it must not be."""

UNVERIFIED = "Its signature could not be verified: Amazon's certificate cannot be had"
UNTIMELY = (
    "It was signed long before it arrived, or after: a late delivery, a repeat, or one of the two clocks is wrong"
)

Pin = Callable[[int, str], Awaitable[str]]
"""Pins a source to an SNS topic unless it is pinned already; the topic it is then pinned to. Raises Unavailable."""


@dataclass(frozen=True)
class Received:
    """What a delivery was, and the alerts in it: none when it was a subscription, which is now confirmed."""

    kind: Kind
    alerts: tuple[Alert, ...] = ()
    records: tuple[int | None, ...] = ()
    """Of which record in the body each alert is; None where it has none."""


class Sns:
    """Receives what SNS delivers."""

    def __init__(self, fetch: Fetch, pin: Pin, now: Now) -> None:
        self._fetch = fetch
        self._pin = pin
        self._now = now
        self._certificates = Certificates(fetch, now)

    async def receive(self, source: Source, body: bytes, headers: Mapping[str, str]) -> Received:
        """Take a delivery that came with this source's key.

        Raises:
            Unprocessable: it is no SNS message.
            Forbidden: its topic is not the source's; its signature is wrong, or missing where the source demands one.
            Invalid: its subscription must not be confirmed: the URL is not Amazon's for it.
            Unavailable: it cannot be verified, or confirmed, just now.
        """
        at = self._now()
        messages = read(body, headers)
        for message in messages:
            check_topic(source, message.topic_arn)
        notes = [await self._verify(message, source) for message in messages]
        if messages[0].kind is Kind.SUBSCRIPTION:
            await self._confirm(messages[0], source)
            return Received(Kind.SUBSCRIPTION)
        alerts: list[Alert] = []
        records: list[int | None] = []
        for message, note in zip(messages, notes, strict=True):
            found = to_alerts(message, source, note=note, at=at)
            alerts += found
            records += [message.record] * len(found)
        return Received(messages[0].kind, tuple(alerts), tuple(records))

    async def finish(self) -> None:
        """Wait for what is being fetched."""
        await self._certificates.finish()

    async def _verify(self, message: SnsMessage, source: Source) -> str | None:
        """What the timeline should say about it; what is not to be believed is refused."""
        is_demanded = demands_signature(source)
        if not message.is_signed:
            if is_demanded:
                raise Forbidden("this source takes only messages that Amazon SNS has signed")
            return None
        url = certificate_url(message)
        try:
            certificate = await self._certificates.find(url)
        except Unavailable as error:
            is_long = self._certificates.missing_for(url) >= WITHOUT_CERTIFICATE
            if is_demanded or message.kind is Kind.SUBSCRIPTION or not is_long:
                raise
            log.warning("sns.unverified", source_id=source.source_id, reason=str(error))
            return UNVERIFIED
        check_signature(message, certificate)
        if is_timely(message, self._now()):
            return None
        if is_demanded:
            raise Unavailable("the message's Timestamp is too far from our clock")
        return UNTIMELY

    async def _confirm(self, message: SnsMessage, source: Source) -> None:
        url = confirmation_url(message)
        answer = await self._fetch(url)
        if answer.status != 200:
            raise Unavailable(f"Amazon SNS has not confirmed the subscription: status {answer.status}")
        topic_arn = message.topic_arn or ""
        if topic_arn not in topics(source) and await self._pin(source.source_id, topic_arn) != topic_arn:
            raise Forbidden("this source was pinned to another SNS topic a moment ago")
        log.info("sns.subscription_confirmed", source_id=source.source_id, topic_arn=topic_arn)


async def pin_topic(database: Database, now: Now, source_id: int, topic_arn: str) -> str:
    """Pin a source to an SNS topic unless it is pinned already; the topic it is then pinned to."""
    async with database.begin() as tx:
        return await storage.pin_topic(tx, source_id, topic_arn, at=now())
