"""What do delivery receipts make of a notification, in whatever order, and however often, they come?

Each receipt is a word about one message. Words are ordered, and the strongest ever heard stands: so joining them is
associative, commutative and idempotent, and any order, repetition and grouping ends the same.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from pagerpal_common.contracts.receipts import DeliveryReceipt
from pagerpal_common.vocabulary import NotificationStatus as S
from pagerpal_common.vocabulary import ReceiptState as R

from pagerpal_notifier.domain.delivery import Change
from pagerpal_notifier.domain.lifecycle import check_move

RANK: Mapping[R, int] = {state: place for place, state in enumerate(R)}

# status.groupName (https://www.infobip.com/docs/essentials/api-essentials/response-status-and-error-codes); FAILED is
# the API reference's own.
GROUPS: Mapping[str, R] = {
    "ACCEPTED": R.PENDING,
    "PENDING": R.PENDING,
    "DELIVERED": R.DELIVERED,
    "UNDELIVERABLE": R.FAILED,
    "EXPIRED": R.FAILED,
    "REJECTED": R.FAILED,
    "FAILED": R.FAILED,
}
# Names that do not mean what their group does, or do not begin with it.
NAMES: Mapping[str, R] = {
    "DELIVERED_TO_OPERATOR": R.AT_OPERATOR,  # "final": false, though in the group DELIVERED
    "REJECTED_DUPLICATE_MESSAGE_ID": R.PENDING,  # of our repeat of a try in doubt: the message itself is on its way
}
UNGROUPED: Mapping[str, R] = {"SIGNALS_BLOCKED": R.FAILED, "MISSING_TO": R.FAILED}

AFTER: Mapping[R, Mapping[S, S]] = {
    R.PENDING: {},
    R.AT_OPERATOR: {},
    R.FAILED: {S.SENDING: S.FAILED, S.SENT: S.FAILED},
    R.DELIVERED: {status: S.DELIVERED for status in S if status is not S.DELIVERED},
}
"""What a word about a notification's last message makes of it; what is not here leaves it as it is. That the handset
has it is the truth whatever we believed before; that it has not is news only of what had gone."""


@dataclass(frozen=True)
class Word:
    """The strongest thing that was said of one message."""

    state: R
    name: str
    """In the provider's own words."""
    error_code: int | None
    is_permanent: bool | None
    received_at: datetime
    """When this was first said."""


def read(receipt: DeliveryReceipt, *, at: datetime) -> Word | None:
    """The word in a receipt that came in `at`; None when it says nothing that we understand."""
    state = _state(receipt.group, receipt.name)
    if state is None:
        return None
    return Word(state, receipt.name or receipt.group or "", receipt.error_code, receipt.is_permanent, at)


def _state(group: str | None, name: str | None) -> R | None:
    """By the group, then by the name; a few names stand out from their group."""
    name = name or ""
    return NAMES.get(name) or GROUPS.get(group or "") or UNGROUPED.get(name) or GROUPS.get(name.partition("_")[0])


def join(words: Iterable[Word]) -> Word:
    """The strongest of these words, at least one; of equal ones the earliest."""
    strongest, *others = sorted(words, key=_strength, reverse=True)
    same = [word.received_at for word in others if _strength(word) == _strength(strongest)]
    return replace(strongest, received_at=min([strongest.received_at, *same]))


def _strength(word: Word) -> tuple[int, str, int, int]:
    """Beyond the state the order has no meaning: it only must be one, or two failures would be kept by chance."""
    permanence = -1 if word.is_permanent is None else int(word.is_permanent)
    return RANK[word.state], word.name, -1 if word.error_code is None else word.error_code, permanence


def after_word(status: S, word: Word) -> Change | None:
    """What becomes of a notification by a word about its last message; None when nothing does."""
    after = AFTER[word.state].get(status)
    if after is None:
        return None
    check_move(status, after)
    if after is S.DELIVERED:
        return Change(after, None, None, delivered_at=word.received_at)
    code = "" if word.error_code is None else f" (error {word.error_code})"
    return Change(after, None, f"Infobip: {word.name}{code}")
