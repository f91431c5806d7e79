"""PostgreSQL: one engine per service, in that service's role, where every wait has an end."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import AsyncExitStack, asynccontextmanager

from sqlalchemy import event
from sqlalchemy.engine.interfaces import ExceptionContext
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from pagerpal_common.errors import DatabaseUnavailable
from pagerpal_common.metrics import POOLS

CONNECT_TIMEOUT = 2.0
STATEMENT_TIMEOUT = 5.0
"""Seconds. A silent network would otherwise hold a connection for ever."""

REACHED_SECONDS = 10.0
"""For how long a transaction that succeeded says that the database can be reached: the next is no further away than a
heartbeat, a connection and a statement that all take their time."""

# SQLSTATE classes and codes (PostgreSQL, Appendix A) that are our own trouble and may pass:
_TROUBLE = (
    "08",  # connection exception
    "40",  # serialization failure, deadlock
    "53",  # out of disk, memory or connections
    "55P03",  # lock not available in time
    "57",  # shut down, crashed, starting up, or the statement timed out
    "58",  # I/O error
    "25006",  # this server has become a read-only replica
    "25P03",  # idle in transaction for too long: the process was stopped for a while
    "3F000",  # the schema is not there yet: migrations have still to run
    "42P01",  # nor is the table
)
# After these the connection, and with it the pool, points at a server that will not do.
_DEAD = ("25006", "57P01", "57P02", "57P03", "08")


class Database:
    """A pool of connections that act as one service's role."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self._reached_at: float | None = None

    @asynccontextmanager
    async def begin(self) -> AsyncIterator[AsyncConnection]:
        """One transaction: committed when the block ends, rolled back when it raises.

        Raises:
            DatabaseUnavailable: PostgreSQL cannot be reached or cannot commit. After a lost connection it may have
                committed all the same, so whatever is done must be safe to repeat.
        """
        try:
            async with AsyncExitStack() as stack:
                tx = await stack.enter_async_context(self._connection())
                await stack.enter_async_context(tx.begin())
                yield tx
            self._reached_at = asyncio.get_running_loop().time()
        except (OSError, PoolTimeout, InterfaceError, OperationalError) as error:
            raise DatabaseUnavailable(type(error).__name__) from error
        except DBAPIError as error:
            if is_trouble(error):
                raise DatabaseUnavailable(f"SQLSTATE {sqlstate(error)}") from error
            raise

    @asynccontextmanager
    async def _connection(self) -> AsyncIterator[AsyncConnection]:
        """A connection from the pool. Whatever refuses it may be mended: the login, the role, the database itself."""
        async with AsyncExitStack() as stack:
            try:
                connection = await stack.enter_async_context(self._engine.connect())
            except DBAPIError as error:
                raise DatabaseUnavailable(f"not connected: {error.orig}") from error
            yield connection

    def is_reached(self, at: float) -> bool:
        """Whether a transaction has succeeded lately; `at` is the event loop's time."""
        return self._reached_at is not None and at - self._reached_at <= REACHED_SECONDS

    async def close(self) -> None:
        """Close every connection."""
        await self._engine.dispose()


def connect(url: str, *, role: str | None, pool_size: int = 10) -> Database:
    """A database handle; no connection is opened before the first use.

    Args:
        url: `postgresql+asyncpg://…`; a bare `postgresql://` is taken as that.
        role: the service whose PostgreSQL role `pagerpal_<role>` is taken on connect; None keeps the login's own.
        pool_size: connections at most. Each is opened when it is first needed, and then kept: a connection's first
            statements cost tens of milliseconds, and a pool that closes some of them whenever it can opens them
            again all through a storm (measured: a third of the machine).
    """
    settings = {
        "application_name": f"pagerpal_{role or 'admin'}",
        "jit": "off",
        "statement_timeout": f"{STATEMENT_TIMEOUT:.0f}s",
        "lock_timeout": "3s",
        "idle_in_transaction_session_timeout": "15s",
    }
    if role is not None:
        settings["role"] = f"pagerpal_{role}"
    engine = create_async_engine(
        asyncpg_url(url),
        pool_size=pool_size,
        max_overflow=0,
        pool_use_lifo=True,  # what is not needed rests, and may be closed by whatever stands between
        pool_timeout=CONNECT_TIMEOUT,
        hide_parameters=True,  # an error's text must not hold phone numbers, hashes or alert texts
        connect_args={
            "timeout": CONNECT_TIMEOUT,
            "command_timeout": STATEMENT_TIMEOUT + 1,
            "server_settings": settings,
        },
    )
    event.listen(engine.sync_engine, "handle_error", _drop_dead_connections)
    POOLS.watch(role or "admin", pool_size, engine.pool)
    return Database(engine)


def asyncpg_url(url: str) -> str:
    """The URL with the driver that PagerPal uses."""
    for prefix in ("postgresql://", "postgres://"):
        if url.startswith(prefix):
            return "postgresql+asyncpg://" + url.removeprefix(prefix)
    return url


def sqlstate(error: DBAPIError) -> str:
    """PostgreSQL's five-character code of what went wrong; empty when it never got that far."""
    return getattr(error.orig, "sqlstate", None) or ""


def violated(error: DBAPIError) -> str:
    """The name of the constraint that a statement broke; empty when it was none."""
    cause = getattr(error.orig, "__cause__", None)
    return getattr(cause, "constraint_name", None) or ""


def is_trouble(error: DBAPIError) -> bool:
    """Whether the statement may succeed when it is tried again."""
    return error.connection_invalidated or _matches(sqlstate(error), _TROUBLE) or isinstance(error.orig, OSError)


def _drop_dead_connections(context: ExceptionContext) -> None:
    error = context.sqlalchemy_exception
    if isinstance(error, DBAPIError) and _matches(sqlstate(error), _DEAD):
        context.is_disconnect = True
        context.invalidate_pool_on_disconnect = True


def _matches(state: str, patterns: Iterable[str]) -> bool:
    return any(state.startswith(pattern) for pattern in patterns)
