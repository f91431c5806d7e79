"""How long does a session last? Twelve hours without a request, a week at most (ASVS 5.0, 7.3)."""

from datetime import datetime, timedelta

IDLE = timedelta(hours=12)
LONGEST = timedelta(days=7)

SEEN_EVERY = timedelta(minutes=1)
"""How exact it is when a session was last seen: a page may ask many times a second."""

PER_PERSON = 50
"""How many somebody may have at once; a new one ends their oldest."""


def is_over(last_seen_at: datetime, expires_at: datetime, at: datetime) -> bool:
    """Whether a session may no longer be used."""
    return at >= expires_at or at - last_seen_at >= IDLE
