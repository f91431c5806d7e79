"""How long must the next try of a password wait? Longer with each wrong one, and never for ever.

Nobody is locked out: what slows a guesser down hangs on the address that they guess from, so that the right password
from another address, and whoever is logged in already, are not touched (ASVS 5.0, 6.1.1 and 6.3.1). What is counted is
this process's alone, and bounded.
"""

import math
from collections import OrderedDict
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

COUNTED_LIMIT = 10_000
"""How many places and accounts are remembered; the one that was quiet for longest is forgotten first."""

FIRST_DELAY = timedelta(seconds=1)
LONGEST_DELAY = timedelta(seconds=30)
_DOUBLINGS = math.ceil(math.log2(LONGEST_DELAY / FIRST_DELAY))


@dataclass(frozen=True)
class Allowance:
    """How many wrong tries cost nothing, and how soon one is forgiven."""

    free: int
    forgiven_after: timedelta


OF_AN_ACCOUNT = Allowance(free=5, forgiven_after=timedelta(minutes=2))
"""One account, from one address: somebody who mistypes, or a script with an old password."""

OF_AN_ADDRESS = Allowance(free=30, forgiven_after=timedelta(seconds=20))
"""All accounts from one address, which may be a whole office's."""


@dataclass(frozen=True)
class Guessing:
    """Whose password is tried, in words that only have to differ, and from where."""

    account: Hashable
    address: str

    @property
    def counted(self) -> Sequence[tuple[Hashable, Allowance]]:
        """What a try counts against, the widest first: a stopped address fills no memory with accounts."""
        return (self.address, OF_AN_ADDRESS), ((self.address, self.account), OF_AN_ACCOUNT)


@dataclass
class _Tries:
    level: float
    at: datetime


class Attempts:
    """The wrong tries of late. A try counts as wrong from its beginning, so that many at once are counted, too."""

    def __init__(self) -> None:
        self._tries: OrderedDict[Hashable, _Tries] = OrderedDict()

    def begin(self, guessing: Guessing, at: datetime) -> timedelta:
        """Count a try. How long it has to wait instead, when that is more than nothing: then it is not counted."""
        for key, allowance in guessing.counted:
            wait = self._wait(key, allowance, at)
            if wait > timedelta(0):
                return wait
        for key, allowance in guessing.counted:
            self._count(key, allowance, at)
        return timedelta(0)

    def was_right(self, guessing: Guessing) -> None:
        """Take a begun try back, and with it what was wrong with this account from this address."""
        (address, _), (account, _) = guessing.counted
        self._tries.pop(account, None)
        if address in self._tries:
            self._tries[address].level = max(0.0, self._tries[address].level - 1)

    def was_not_made(self, guessing: Guessing) -> None:
        """Take a begun try back: it came to nothing, for reasons of our own."""
        for key, _ in guessing.counted:
            if key in self._tries:
                self._tries[key].level = max(0.0, self._tries[key].level - 1)

    def _wait(self, key: Hashable, allowance: Allowance, at: datetime) -> timedelta:
        tries = self._now(key, allowance, at)
        if tries.level <= allowance.free - 1:
            return timedelta(0)
        delay = min(LONGEST_DELAY, FIRST_DELAY * 2 ** (tries.level - allowance.free))
        return delay - (at - self._tries[key].at)

    def _count(self, key: Hashable, allowance: Allowance, at: datetime) -> None:
        level = self._now(key, allowance, at).level + 1
        self._tries[key] = _Tries(min(level, allowance.free + _DOUBLINGS), at)
        self._tries.move_to_end(key)
        if len(self._tries) > COUNTED_LIMIT:
            self._tries.popitem(last=False)

    def _now(self, key: Hashable, allowance: Allowance, at: datetime) -> _Tries:
        """What is left of the tries; a clock that was set back does not make anybody wait for longer."""
        tries = self._tries.get(key) or _Tries(0.0, at)
        tries.at = min(tries.at, at)
        return _Tries(max(0.0, tries.level - (at - tries.at) / allowance.forgiven_after), at)
