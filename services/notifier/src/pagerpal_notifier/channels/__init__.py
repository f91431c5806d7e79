"""Where a page leaves us: a folder for each provider, and one table of them (`table.py`). How to add one is said in
CONTRIBUTING.md.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from pagerpal_common.contracts.receipts import DeliveryReceipt

from pagerpal_notifier.domain.delivery import Outcome
from pagerpal_notifier.domain.page import Claim

Send = Callable[[Claim], Awaitable[Outcome]]

Poll = Callable[[Sequence[UUID]], Awaitable[Mapping[UUID, DeliveryReceipt]]]
"""Asks a provider what has become of messages, by the attempts' ids; at most `POLL_LIMIT` of them.

What comes back is what the provider would have put into a delivery receipt, as ingest hands it on: `receipts.read` and
`receipts.take` make of it what they make of receipts, so it may be asked again, at any time and beside the receipts,
and ends the same. A message that is missing in the answer is one of which the provider has no word (yet, or any more):
that is never proof that it has not gone.

Raises:
    Unavailable: the provider has not answered, or with an error; nothing is known. The caller limits the time.
"""

POLL_LIMIT = 50
"""Messages to one call of `Poll`."""


async def nothing_to_close() -> None:
    """For a provider that keeps no connection."""


@dataclass(frozen=True)
class Provider:
    """Somebody who takes pages of one channel."""

    name: str
    """As it is stored with each attempt."""
    send: Send
    """One try with the claim's message id. Says what came of it and raises nothing on purpose; the caller limits
    its time."""
    poll: Poll | None = None
    """None when the provider cannot be asked."""
    close: Callable[[], Awaitable[None]] = nothing_to_close
    """Let go of connections, once nothing is being sent any more."""
    public_key: str | None = None
    """What whoever is to be reached this way has to know, where there is such a thing: browsers, of web push."""
