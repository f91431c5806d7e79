"""Is an alert kept as it was sent, and in which of its incident's two places? Pure.

The one that opened the incident always is; of those after it the newest. Not each of them: a storm says the same a
thousand times a second, and each time would write up to 16 KiB. So within seconds of the alert before it, only one that
changed something people look at first, and the first of each minute, so that what is shown of a storm is never older.
"""

from datetime import timedelta

from pagerpal_common.contracts.alerts import Alert
from pagerpal_common.vocabulary import AlertOutcome, RawPlace

from pagerpal_incidents.domain.incident import Incident

APART = timedelta(seconds=5)
"""From the alert before it: one that comes so late is no storm."""

MINUTE = 60


def place_of(alert: Alert, outcome: AlertOutcome, was: Incident | None, now: Incident) -> RawPlace | None:
    """Where to keep it; None when it is not kept.

    Args:
        was: the incident before the alert, `now` the same after it.
    """
    if outcome is AlertOutcome.OPENED:
        return RawPlace.FIRST
    if was is None or outcome is AlertOutcome.IGNORED:
        return None
    heard_at = max(was.last_alert_at, was.heard_at)
    if alert.received_at < heard_at:
        return None  # it has come late: a newer one is kept, or was not worth it
    is_news = (was.status, was.severity) != (now.status, now.severity)
    is_apart = alert.received_at - heard_at >= APART
    if is_news or is_apart or _minute(alert.received_at.timestamp()) != _minute(heard_at.timestamp()):
        return RawPlace.LAST
    return None


def _minute(seconds: float) -> int:
    return int(seconds // MINUTE)
