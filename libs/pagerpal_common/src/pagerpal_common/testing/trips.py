"""How often does what is tested or measured go to the database? Unlike its time, that is the same on every machine."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from sqlalchemy import event
from sqlalchemy.engine import Engine


@dataclass
class Trips:
    """What was sent to any database."""

    statements: list[str] = field(default_factory=list)
    transactions: int = 0


@contextmanager
def counted() -> Iterator[Trips]:
    """Counts what this process sends within the block, by whichever engine."""
    trips = Trips()

    def sent(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        trips.statements.append(statement)

    def begun(_connection: object) -> None:
        trips.transactions += 1

    event.listen(Engine, "before_cursor_execute", sent)
    event.listen(Engine, "begin", begun)
    try:
        yield trips
    finally:
        event.remove(Engine, "before_cursor_execute", sent)
        event.remove(Engine, "begin", begun)
