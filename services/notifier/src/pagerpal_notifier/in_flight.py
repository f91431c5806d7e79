"""How many provider calls may be under way, and which are?"""

import asyncio
from collections.abc import Coroutine

import structlog
from pagerpal_common.service import Bell

log = structlog.get_logger(__name__)

LIMIT = 50
"""Provider calls at once. A slow one takes one place, and holds nobody else up."""


class InFlight:
    """The sends under way. Rings `bell` at the end of each: a place is free, and a person's next step may be due."""

    def __init__(self, bell: Bell) -> None:
        self._bell = bell
        self._tasks: set[asyncio.Task[None]] = set()

    def room(self) -> int:
        """How many more may begin."""
        return LIMIT - len(self._tasks)

    def start(self, send: Coroutine[None, None, None], *, name: str) -> None:
        """Run it on the side."""
        task = asyncio.create_task(send, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    async def finish(self) -> None:
        """Wait until none is under way."""
        while self._tasks:
            await asyncio.wait(self._tasks)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("send.failed", send=task.get_name(), exc_info=error)
        self._bell.ring()
