"""How does a process stay connected to RabbitMQ? One loop per connection: connect, set up, wait for the end, again.

aio-pika's own robust connection is not used: it does not retry the first connect, restores only what it declared
itself, and retries channels and consumers by rules of their own. Here any trouble (the connection, one of its
channels, a consumer that the broker cancelled because its queue was deleted) ends the connection, and a new one
declares everything afresh. At-least-once delivery makes that safe.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable

import aio_pika
import structlog
from aio_pika.abc import AbstractChannel, AbstractConnection
from aio_pika.exceptions import CONNECTION_EXCEPTIONS

from pagerpal_common.errors import BusUnavailable

log = structlog.get_logger(__name__)

HEARTBEAT_SECONDS = 5
"""A silent cut is noticed after three of them and 3 s (measured: 19 s; with the default of 60 s, never within 190)."""

RECONNECT_SECONDS = 1.0
CONNECT_SECONDS = 5.0
SET_UP_SECONDS = 30.0
CLOSE_SECONDS = 3.0

GRACE_SECONDS = 0.2
"""How long a caller waits for a connection before it is told that there is none."""

TROUBLE: tuple[type[BaseException], ...] = (*CONNECTION_EXCEPTIONS, TimeoutError)
"""What aio-pika says it raises when the broker is away, refuses, or goes away in the middle; see `is_trouble`."""


class _Connection(aio_pika.Connection):
    """Closed by who opened it, here, and by nobody else. aio-pika's own would also be when it is collected: an attempt
    that failed left one that never came up, and what is to close that ran nowhere when a thread collected it."""

    def __del__(self) -> None:
        pass


class Link:
    """One connection that comes back."""

    def __init__(self, url: str, name: str, set_up: Callable[["Link", AbstractConnection], Awaitable[None]]) -> None:
        self._url = url
        self._name = name
        self._set_up = set_up
        self._up = asyncio.Event()
        self._lost = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    @property
    def is_up(self) -> bool:
        return self._up.is_set() and not self._lost.is_set()

    def start(self) -> None:
        """Begin to connect, for as long as it takes."""
        self._task = asyncio.create_task(self._stay_connected(), name=self._name)

    async def stop(self) -> None:
        """Close, and stay closed. The broker takes back what was delivered and not settled."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def ready(self) -> None:
        """Wait for the connection, but not for long.

        Raises:
            BusUnavailable: there is none.
        """
        if self.is_up:
            return
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._up.wait(), GRACE_SECONDS)
        if not self.is_up:
            raise BusUnavailable("not connected to the broker")

    def lose(self) -> None:
        """Give this connection up; a new one follows."""
        self._lost.set()

    async def open_channel(self, connection: AbstractConnection, *, confirms: bool) -> AbstractChannel:
        """A channel whose end is the end of the connection."""
        channel = await connection.channel(publisher_confirms=confirms, on_return_raises=confirms)
        channel.close_callbacks.add(_mark(self._lost))
        underlay = await channel.get_underlay_channel()
        underlay.on_consumer_cancel_callbacks.add(_mark(self._lost))
        return channel

    async def _stay_connected(self) -> None:
        while True:
            try:
                await self._connect_once()
            except BaseException as error:
                if not is_trouble(error):
                    raise
                log.warning("bus.no_connection", connection=self._name, error=type(error).__name__)
            await asyncio.sleep(RECONNECT_SECONDS)

    async def _connect_once(self) -> None:
        """Connect, and return when that connection has ended."""
        self._lost = asyncio.Event()  # its own: a callback of the last connection may come late
        connection = await aio_pika.connect(
            self._url,
            connection_class=_Connection,
            timeout=CONNECT_SECONDS,
            heartbeat=HEARTBEAT_SECONDS,
            client_properties={"connection_name": self._name},
        )
        try:
            connection.close_callbacks.add(_mark(self._lost))
            async with asyncio.timeout(SET_UP_SECONDS):
                await self._set_up(self, connection)
            if not self._lost.is_set():
                self._up.set()
                log.info("bus.connected", connection=self._name)
            await self._lost.wait()
            log.warning("bus.connection_lost", connection=self._name)
        finally:
            self._up.clear()
            await _close(connection)


def _mark(lost: asyncio.Event) -> Callable[..., None]:
    def mark(*_: object) -> None:
        lost.set()

    return mark


async def _close(connection: AbstractConnection) -> None:
    try:
        async with asyncio.timeout(CLOSE_SECONDS):
            await connection.close()
    except BaseException as error:
        if not is_trouble(error):
            raise
        log.info("bus.close_failed", error=type(error).__name__)


def is_trouble(error: BaseException) -> bool:
    """Whether this came out of aio-pika because of the broker or the network.

    When a channel dies, aiormq ends whatever waits on it with the reason of the death, and that may be none (a bare
    `Exception`) or a `CancelledError` although nobody cancelled the task that waits.
    """
    if isinstance(error, asyncio.CancelledError):
        task = asyncio.current_task()
        return task is None or not task.cancelling()
    return isinstance(error, TROUBLE) or type(error) is Exception
