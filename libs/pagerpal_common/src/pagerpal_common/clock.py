"""What time is it? The only module that asks the machine."""

import os
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

Now = Callable[[], datetime]

TEST_CLOCK = "PAGERPAL_TEST_CLOCK"


def utc_now() -> datetime:
    """The current instant, aware, in UTC."""
    return datetime.now(UTC)


def from_environment(environ: Mapping[str, str] | None = None) -> Now:
    """The clock to run on: the machine's, or in tests one that is ahead by the seconds written in a file.

    `PAGERPAL_TEST_CLOCK` names that file. It lets a test move all five processes through hours at once.

    Raises:
        ValueError: a production environment names such a file.
    """
    values = os.environ if environ is None else environ
    path = values.get(TEST_CLOCK)
    if not path:
        return utc_now
    if values.get("PAGERPAL_ENV") == "production":
        raise ValueError(f"{TEST_CLOCK} must not be set in production")
    return _ahead_by(Path(path))


def _ahead_by(offset_file: Path) -> Now:
    def now() -> datetime:
        return utc_now() + timedelta(seconds=float(offset_file.read_text() or 0))

    return now
