"""Which delivery receipts are in a body that Infobip posts? (API reference, "Infobip delivery receipts")

A result that says nothing of a message of ours is left out, and takes none of its neighbours along.
"""

from dataclasses import dataclass

from pagerpal_common.contracts.receipts import DeliveryReceipt
from pagerpal_common.errors import TooLarge, Unprocessable
from pagerpal_common.infobip import read_result
from pydantic_core import from_json

RESULTS_LIMIT = 1_000
"""Results in one body; Infobip sends 100 at most."""


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
    receipts = tuple(receipt for result in results if (receipt := read_result(result)) is not None)
    return Parsed(receipts, len(results) - len(receipts))


def _misfit(where: list[str], kind: str, message: str) -> Unprocessable:
    return Unprocessable([{"type": kind, "loc": ["body", *where], "msg": message}])
