"""How services talk: publish, request, subscribe. One protocol, two implementations (`rabbit.py`, `memory.py`).

PostgreSQL is the truth and the bus is the doorbell: a lost, doubled, late or reordered message changes nothing but a
delay of one sweep. Handlers must therefore tolerate repeats, and settle on rows, not on messages.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from pagerpal_common.contracts.message import Message

M = TypeVar("M", bound=Message)
R = TypeVar("R", bound=Message)


@dataclass(frozen=True)
class Subscription:
    """Messages of one type go to `handle`; what it returns is the reply to a request.

    A handler that raises `Unavailable` is called again with backoff until it succeeds; a `Refusal` is the answer to
    a request (and dropped from a publish); any other exception is a bug: redelivered up to `DELIVERY_LIMIT` times,
    then parked where an operator can see it.
    """

    message: type[Message]
    handle: Callable[[Any], Awaitable[Message | None]]


@dataclass(frozen=True)
class BatchSubscription:
    """Like `Subscription`, for messages worth handling together: `handle` takes what has arrived, at most `limit`
    messages, never waits for more, and returns one reply per message, in order."""

    message: type[Message]
    handle: Callable[[Sequence[Any]], Awaitable[Sequence[Message | None]]]
    limit: int
    breath: float = 0.0
    """Seconds between the beginnings of two batches that are not full: what comes all the time is handled together,
    what comes now and then at once."""


BREATH = 0.05
"""For what is on the way to a page: not to be felt by anybody, and enough to make batches of a storm. Measured
(`benchmarks/storm.py`, `benchmarks/page_latency.py`): twice as long makes pages slower and nothing better."""

LONG_BREATH = 0.25
"""For what is only written down."""


DELIVERY_LIMIT = 5
"""How often a message whose handler fails with a bug is delivered before it is parked."""

PUBLISH_SECONDS = 5.0
"""How long `publish` waits for its confirmation."""


class Bus(Protocol):
    """What a service may do with the bus."""

    def subscribe(self, service: str, *subscriptions: Subscription | BatchSubscription) -> None:
        """Register, before `start`, what this service handles."""

    async def start(self) -> None:
        """Begin to deliver. Returns without waiting for the broker: it is reached, and reached again, on the side."""

    async def stop(self) -> None:
        """Take no new message, let the handlers under way finish (at most 10 s), and close."""

    async def publish(self, *messages: Message) -> None:
        """Hand messages over durably; returns once they are safe. Together they cost little more than one.

        Raises:
            BusUnavailable: not confirmed within 5 s. Each of them may or may not have gone.
        """

    async def request(self, message: Message, reply: type[R], *, wait: float, expires: bool = True) -> R:
        """Publish, and wait `wait` seconds at most, publishing included, for the one reply.

        With `expires` the broker drops the message once that time is over, so that what the caller was told failed
        is not done later.

        Raises:
            Refusal: the handler refused; the same class and text as it raised.
            NoReply: a broker has confirmed and keeps it, but nobody has answered in time.
            BusUnavailable: not confirmed; or not answered, where there is no broker to keep it.
        """

    async def parked(self) -> int:
        """How many messages nobody could handle, and wait for an operator.

        Raises:
            BusUnavailable: the broker cannot be asked.
        """

    def is_connected(self) -> bool:
        """Whether messages can flow right now."""
