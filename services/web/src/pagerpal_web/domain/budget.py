"""May this failure be written down as a row of its own? Guessers choose how many there are, and a disk is finite."""

from datetime import datetime, timedelta

ROWS = 100
ROW_EVERY = timedelta(seconds=1)


class Budget:
    """Rows that may be written: a hundred at once, then one a second, which is some 20 MB a day at the worst.

    This process's alone. Those beyond are counted, and the next row that is written says how many they were.
    """

    def __init__(self) -> None:
        self._left = float(ROWS)
        self._at: datetime | None = None
        self._skipped = 0

    def spend(self, at: datetime) -> int | None:
        """Take one row: how many were skipped before it, or None when this one has to be skipped."""
        passed = max(timedelta(0), at - (self._at or at))
        self._left = min(float(ROWS), self._left + passed / ROW_EVERY)
        self._at = at
        if self._left < 1:
            self._skipped += 1
            return None
        self._left -= 1
        skipped, self._skipped = self._skipped, 0
        return skipped
