"""Who runs Apprise? A few processes beside ours, one message to each at a time (`child.py`).

Apprise blocks, and nobody can stop a thread that hangs. A process can be killed, and whatever goes wrong in it goes
wrong in it. One that has answered is kept for the next message, since starting one takes half a second. One that has
not answered when the time for its message is over is killed, and so is one that answers anything else.
"""

import asyncio
import json
import os
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections import defaultdict
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import structlog

log = structlog.get_logger(__name__)

PROGRAM = Path(__file__).with_name("child.py")

AT_ONCE = 4
"""Processes. About 45 MB each."""

OF_ONE_MESSENGER = 2
"""Of them at most: one service that hangs leaves room for the others."""

KEPT = 2
"""Processes that wait for a next message, between two."""

PLACE_SECONDS = 2.0
"""How long a message waits for a process that is ready. There is time left then to hand it over."""

MESSAGES = 200
"""To one process. After so many it is replaced, in case it forgets nothing."""

LOADING_SECONDS = 30.0
"""How long a process may load Apprise, on a machine that has much to do, before it is given up."""

LONGEST_ANSWER = 4096
"""Bytes."""


class NotReady(Exception):
    """No process was ready in time; the message has been given to nobody."""


class Absent(Exception):
    """Apprise is not installed."""


class Died(Exception):
    """The process ended, or answered what is no answer; what has become of the message is not known."""


class Child:
    """One process, started and not yet known to be ready."""

    def __init__(self, process: Process) -> None:
        self._process = process
        self._messages = 0
        self._is_ready = False
        self._started_at = asyncio.get_running_loop().time()

    @property
    def is_fresh(self) -> bool:
        """Whether it may have another message."""
        is_loading = asyncio.get_running_loop().time() < self._started_at + LOADING_SECONDS
        return self._process.returncode is None and self._messages < MESSAGES and (self._is_ready or is_loading)

    async def ready(self) -> None:
        """Wait until it has loaded Apprise. May be given up and begun anew.

        Raises:
            Absent: there is none.
            Died: it cannot.
        """
        if self._is_ready:
            return
        said = await self._line()
        if said == b"absent\n":
            raise Absent
        if said != b"ready\n":
            raise Died
        self._is_ready = True

    async def ask(self, order: Mapping[str, object]) -> dict[str, Any]:
        """Give it a message, and wait for what it says.

        Raises:
            Died: it has said nothing that can be read.
        """
        writer = self._process.stdin
        assert writer is not None  # noqa: S101 - it was started with a pipe
        self._messages += 1
        try:
            writer.write(json.dumps(order).encode() + b"\n")
            await writer.drain()
            said = json.loads(await self._line())
        except (OSError, ValueError):
            raise Died from None
        if not isinstance(said, dict):
            raise Died
        return said

    async def _line(self) -> bytes:
        reader = self._process.stdout
        assert reader is not None  # noqa: S101 - it was started with a pipe
        try:
            return await reader.readline()
        except ValueError:  # longer than any answer
            raise Died from None

    async def end(self) -> None:
        """Kill it. It has nothing to put in order."""
        with suppress(ProcessLookupError):
            self._process.kill()
        await self._process.communicate()  # asyncio takes it for ended once what it has said is read


class Children:
    """The processes."""

    def __init__(self, program: Path = PROGRAM) -> None:
        """None is started before there is a message."""
        self._program = program
        self._places = asyncio.Semaphore(AT_ONCE)
        self._places_of: defaultdict[str, asyncio.Semaphore] = defaultdict(lambda: asyncio.Semaphore(OF_ONE_MESSENGER))
        self._idle: list[Child] = []
        self._ending: set[asyncio.Task[None]] = set()

    async def ask(self, order: Mapping[str, str], *, seconds: float) -> dict[str, Any]:
        """Have a message sent, and wait for what has become of it. Whoever gives up waiting has it killed.

        Args:
            order: as `child.py` reads it, without the time that it may take.
            seconds: for all of it.

        Raises:
            Absent, NotReady: nobody has it.
            Died, TimeoutError: somebody may have it.
        """
        now = asyncio.get_running_loop().time()
        async with self._place(order["messenger"], now + PLACE_SECONDS):
            try:
                child = await self._ready(now + PLACE_SECONDS)
            except (OSError, Died):  # a TimeoutError is an OSError
                raise NotReady from None
            try:
                async with asyncio.timeout_at(now + seconds):
                    said = await child.ask({**order, "seconds": seconds + 1.0})
            except BaseException:
                self._end(child)
                raise
            self._keep(child)
            return said

    async def close(self) -> None:
        """End all of them. Nothing is being sent any more."""
        while self._idle:
            self._end(self._idle.pop())
        while self._ending:
            await asyncio.wait(self._ending)

    @asynccontextmanager
    async def _place(self, messenger: str, until: float) -> AsyncIterator[None]:
        """Room for one message."""
        held: list[asyncio.Semaphore] = []
        try:
            try:
                async with asyncio.timeout_at(until):
                    for places in (self._places_of[messenger], self._places):
                        await places.acquire()
                        held.append(places)
            except TimeoutError:
                raise NotReady from None
            yield
        finally:
            for places in held:
                places.release()

    async def _ready(self, until: float) -> Child:
        """Raises Absent, and what `create_subprocess_exec` and `Child.ready` raise."""
        child: Child | None = None
        try:
            async with asyncio.timeout_at(until):
                child = self._waiting() or await self._start()
                await child.ready()
                return child
        except (TimeoutError, asyncio.CancelledError):
            if child is not None:  # it goes on loading, and the next message finds it further
                self._keep(child)
            raise
        except BaseException:
            if child is not None:
                self._end(child)
            raise

    def _waiting(self) -> Child | None:
        """One that was kept, unless it has died meanwhile."""
        while self._idle:
            child = self._idle.pop()
            if child.is_fresh:
                return child
            self._end(child)
        return None

    async def _start(self) -> Child:
        """Without a terminal's signals, which are for us to act on, and with nothing of our environment."""
        arguments = ("-I", "-B", str(self._program))
        process = await asyncio.create_subprocess_exec(
            sys.executable, *arguments, stdin=PIPE, stdout=PIPE, stderr=DEVNULL, env={}, cwd=os.sep,
            limit=LONGEST_ANSWER, start_new_session=True,
        )  # fmt: skip
        log.info("long_tail.started", pid=process.pid)
        return Child(process)

    def _keep(self, child: Child) -> None:
        if child.is_fresh and len(self._idle) < KEPT:
            self._idle.append(child)
        else:
            self._end(child)

    def _end(self, child: Child) -> None:
        """On the side: whoever is told to stop must not wait."""
        task = asyncio.create_task(child.end())
        self._ending.add(task)
        task.add_done_callback(self._ending.discard)
