"""How do handlers that each begin a transaction work in one? By a context that hands them the one that has begun."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from typing import cast

from pagerpal_common.db import Database
from sqlalchemy.ext.asyncio import AsyncConnection

from pagerpal_web.context import Context


class _Within:
    """A database whose only transaction has begun, and ends elsewhere."""

    def __init__(self, tx: AsyncConnection) -> None:
        self._tx = tx

    @asynccontextmanager
    async def begin(self) -> AsyncIterator[AsyncConnection]:
        yield self._tx


class _Once:
    """A database that begins its only transaction when it is first asked for one; it ends with the stack."""

    def __init__(self, db: Database, stack: AsyncExitStack) -> None:
        self._db = db
        self._stack = stack
        self._tx: AsyncConnection | None = None

    @asynccontextmanager
    async def begin(self) -> AsyncIterator[AsyncConnection]:
        if self._tx is None:
            self._tx = await self._stack.enter_async_context(self._db.begin())
        yield self._tx


def within(ctx: Context, tx: AsyncConnection) -> Context:
    """For handlers that are to work in this transaction instead of one of their own."""
    return replace(ctx, db=cast(Database, _Within(tx)))


@asynccontextmanager
async def in_one_transaction(ctx: Context) -> AsyncIterator[Context]:
    """For all that reads within this block. Nothing is begun for what never asks, and what goes wrong with the database
    is raised as ever, but at the end of the block.

    Not for what waits for anything but the database: a connection is held meanwhile, and there are few.
    """
    async with AsyncExitStack() as stack:
        yield replace(ctx, db=cast(Database, _Once(ctx.db, stack)))
