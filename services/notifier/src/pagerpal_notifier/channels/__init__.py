"""Where a page leaves us. Which provider serves which channel is said in `service.py`, in one table."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from pagerpal_notifier.domain.delivery import Outcome
from pagerpal_notifier.domain.page import Claim


@dataclass(frozen=True)
class Provider:
    """Somebody who takes pages of one channel."""

    name: str
    """As it is stored with each attempt."""
    send: Callable[[Claim], Awaitable[Outcome]]
    """One try with the claim's message id. Says what came of it and raises nothing on purpose; the caller limits
    its time."""
