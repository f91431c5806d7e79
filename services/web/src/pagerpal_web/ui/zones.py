"""Which time zones may be chosen from? Those that people write: a place, or UTC."""

from functools import cache
from zoneinfo import available_timezones


@cache
def zones() -> tuple[str, ...]:
    """In order of their names, UTC first. Others are taken, too, when they are typed in."""
    return "UTC", *sorted(name for name in available_timezones() if "/" in name and not name.startswith("Etc/"))
