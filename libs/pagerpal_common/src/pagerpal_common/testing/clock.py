"""The time in tests: a clock that stands still until it is moved."""

from datetime import datetime, timedelta


class Clock:
    """Stands still until it is moved."""

    def __init__(self, at: datetime) -> None:
        self.at = at

    def __call__(self) -> datetime:
        return self.at

    def advance(self, **duration: float) -> None:
        """Move it on by what `timedelta` would take."""
        self.at += timedelta(**duration)
