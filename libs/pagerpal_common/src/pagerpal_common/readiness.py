"""May this process be given work? What `/readyz` answers, and what each service needs for a yes.

A service that nobody sends anything to is ready only when all is well, so that a bad version does not replace a good
one. One that senders or people reach must not be taken out of their way because something behind it is away, as long
as it can do anything for them: all its replicas would be out at once, and nobody would be there to keep an alert.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Condition:
    """How one service stands."""

    bus: bool
    """Messages can flow."""
    database: bool
    """A transaction has succeeded lately."""
    stalled: tuple[str, ...]
    """Its loops that have not succeeded for too long, or not yet."""


def everything(condition: Condition) -> bool:
    """Ready when nothing is missing."""
    return condition.bus and condition.database and not condition.stalled


def bus_or_database(condition: Condition) -> bool:
    """Ready while an alert can be kept somewhere."""
    return condition.bus or condition.database


def database(condition: Condition) -> bool:
    """Ready while rows can be read and written."""
    return condition.database


def summary(conditions: Sequence[Condition]) -> Mapping[str, object]:
    """All services of a process in one answer."""
    return {
        "bus": all(condition.bus for condition in conditions),
        "database": all(condition.database for condition in conditions),
        "stalled": [name for condition in conditions for name in condition.stalled],
    }
