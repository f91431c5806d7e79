"""What of an alert as it was sent is on the page of its incident?"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from pagerpal_common.contracts.alerts import RAW_LIMIT
from pagerpal_common.vocabulary import RawPlace

from pagerpal_web.domain.raw import amount, message_in, readable
from pagerpal_web.storage.raw_alerts import RawAlertShown


@dataclass(frozen=True)
class Shown:
    """One alert, as the template writes it."""

    place: RawPlace
    received_at: datetime
    content_type: str | None
    size: str
    text: str | None
    """None when it could not be kept."""
    message: str | None
    """The alarm that the message of Amazon SNS carries."""
    cut: str | None
    """That there is more than is shown."""


def shown(kept: Sequence[RawAlertShown]) -> list[Shown]:
    """The alerts of an incident that were kept."""
    return [_shown(alert) for alert in kept]


def _shown(alert: RawAlertShown) -> Shown:
    return Shown(
        place=alert.place,
        received_at=alert.received_at,
        content_type=alert.content_type,
        size=amount(alert.size),
        text=None if alert.body is None else readable(alert.body, is_cut=alert.is_cut),
        message=None if alert.body is None else message_in(alert.body),
        cut=f"Cut after {amount(RAW_LIMIT)} of {amount(alert.size)}." if alert.is_cut else None,
    )
