"""What does Infobip say of one message? A result of its delivery receipts, and of its logs.

Read leniently: fields are null, missing or new, and numbers come as strings. Nothing is read but ids, the words of
Infobip's own tables, and the one key that a call of ours asks for: who was told what never leaves this function.
"""

import re
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from pagerpal_common.contracts.receipts import KEYS, DeliveryReceipt

# For a status that has only numbers: https://www.infobip.com/docs/essentials/api-essentials/response-status-and-error-codes
_GROUPS: Mapping[int | None, str] = {
    0: "ACCEPTED",
    1: "PENDING",
    2: "UNDELIVERABLE",
    3: "DELIVERED",
    4: "EXPIRED",
    5: "REJECTED",
}
# The two whose name says something else than their group.
_NAMES: Mapping[int | None, str] = {2: "DELIVERED_TO_OPERATOR", 23: "REJECTED_DUPLICATE_MESSAGE_ID"}

_WORD = re.compile(r"[A-Z][A-Z0-9_]{0,63}")
_UUID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_LARGEST = 2**31 - 1


def read_result(result: Any) -> DeliveryReceipt | None:
    """The receipt in one result; None without a status, or a number that we could have given."""
    message_id, status, error = part(result, "messageId"), part(result, "status"), part(result, "error")
    if not isinstance(message_id, str) or not _UUID.fullmatch(message_id.strip()):
        return None
    group = _word(part(status, "groupName")) or _GROUPS.get(_number(part(status, "groupId")))
    name = _word(part(status, "name")) or _NAMES.get(_number(part(status, "id")))
    if group is None and name is None:
        return None
    permanent = part(error, "permanent")
    return DeliveryReceipt(
        message_id=UUID(message_id.strip()),
        group=group,
        name=name,
        error_code=_number(part(error, "id")),
        is_permanent=permanent if isinstance(permanent, bool) else None,
        digits=_key(part(part(result, "voiceCall"), "dtmfCodes")),
    )


def part(whole: Any, name: str) -> Any:
    """A field of what may be no object at all."""
    return whole.get(name) if isinstance(whole, dict) else None


def _word(value: Any) -> str | None:
    """A name of Infobip's tables; anything else, such as a sentence with a number in it, is not passed on."""
    word = value.strip().upper() if isinstance(value, str) and len(value) <= 100 else ""
    return word if _WORD.fullmatch(word) else None


def _number(value: Any) -> int | None:
    """One that the database's column holds."""
    if isinstance(value, str) and len(value) <= 10 and value.isascii() and value.isdigit():
        value = int(value)
    return value if type(value) is int and 0 <= value <= _LARGEST else None


def _key(value: Any) -> str | None:
    """One that our calls ask for. Another sender behind the same account may ask for a PIN: that is not passed on."""
    key = str(value) if type(value) is int else value
    return key.strip() if isinstance(key, str) and key.strip() in KEYS else None
