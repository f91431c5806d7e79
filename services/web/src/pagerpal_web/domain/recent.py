"""Was this so a moment ago? What is remembered is bounded, and a clock that is set back makes nothing last longer."""

from collections.abc import Hashable
from datetime import datetime, timedelta


class Recent:
    """Things that are remembered for a while, the newest of them when there are too many."""

    def __init__(self, lasting: timedelta, limit: int) -> None:
        self._lasting = lasting
        self._limit = limit
        self._until: dict[Hashable, datetime] = {}

    def has(self, thing: Hashable, at: datetime) -> bool:
        """Whether it was added no longer ago than things last."""
        until = self._until.get(thing)
        return until is not None and at < until <= at + self._lasting

    def add(self, thing: Hashable, at: datetime) -> None:
        """Remember it from now on."""
        self._until.pop(thing, None)  # so that the order stays that of age
        self._until[thing] = at + self._lasting
        if len(self._until) > self._limit:
            del self._until[next(iter(self._until))]

    def __len__(self) -> int:
        return len(self._until)
