"""Which delivery receipts are in a body that Infobip posts? (API reference, "Infobip delivery receipts")

A result that says nothing of a message of ours is left out, and takes none of its neighbours along.
"""

from dataclasses import dataclass

from pagerpal_common.contracts.receipts import DeliveryReceipt
from pagerpal_common.infobip import read_result

from pagerpal_ingest.domain.infobip import results_in


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
    results = results_in(body)
    receipts = tuple(receipt for result in results if (receipt := read_result(result)) is not None)
    return Parsed(receipts, len(results) - len(receipts))
