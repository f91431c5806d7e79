"""Which delivery receipts are in a body that Infobip posts? (API reference, "Infobip delivery receipts")

Read leniently: fields are null, missing or new, and numbers come as strings. A result that says nothing of a message of
ours is left out, and takes none of its neighbours along. Nothing is read but ids and the words of Infobip's own tables:
who was told what never leaves this function.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from pagerpal_common.contracts.receipts import DeliveryReceipt
from pagerpal_common.errors import TooLarge, Unprocessable
from pydantic_core import from_json

RESULTS_LIMIT = 1_000
"""Results in one body; Infobip sends 100 at most."""

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


@dataclass(frozen=True)
class Parsed:
    """What a body says."""

    receipts: tuple[DeliveryReceipt, ...]
    ignored: int
    """Results that are no receipt for a message of ours: another sender's, an SMS that came in, or unreadable."""


def parse(body: bytes) -> Parsed:
    """The receipts in a body.

    Raises:
        Unprocessable: it is not JSON, or holds no list of results.
        TooLarge: there are more than `RESULTS_LIMIT`.
    """
    try:
        envelope = from_json(body)
    except ValueError:
        raise _misfit([], "json_invalid", "The body is not JSON") from None
    results = envelope.get("results") if isinstance(envelope, dict) else None
    if not isinstance(results, list):
        raise _misfit(["results"], "list_type", "There must be a list of results")
    if len(results) > RESULTS_LIMIT:
        raise TooLarge(f"there are more than {RESULTS_LIMIT} results")
    receipts = tuple(receipt for result in results if (receipt := _receipt(result)) is not None)
    return Parsed(receipts, len(results) - len(receipts))


def _receipt(result: Any) -> DeliveryReceipt | None:
    """Without a status, or a number that we could have given, it is none."""
    message_id, status, error = _part(result, "messageId"), _part(result, "status"), _part(result, "error")
    if not isinstance(message_id, str) or not _UUID.fullmatch(message_id.strip()):
        return None
    group = _word(_part(status, "groupName")) or _GROUPS.get(_number(_part(status, "groupId")))
    name = _word(_part(status, "name")) or _NAMES.get(_number(_part(status, "id")))
    if group is None and name is None:
        return None
    permanent = _part(error, "permanent")
    return DeliveryReceipt(
        message_id=UUID(message_id.strip()),
        group=group,
        name=name,
        error_code=_number(_part(error, "id")),
        is_permanent=permanent if isinstance(permanent, bool) else None,
    )


def _part(whole: Any, name: str) -> Any:
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


def _misfit(where: list[str], kind: str, message: str) -> Unprocessable:
    return Unprocessable([{"type": kind, "loc": ["body", *where], "msg": message}])
