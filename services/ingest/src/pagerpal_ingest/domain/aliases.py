"""What do senders call our severities and statuses?"""

import re
from collections.abc import Iterable, Mapping

from pagerpal_common.vocabulary import AlertStatus, Severity

from pagerpal_ingest.domain.texts import line

_SEVERITIES = {
    Severity.CRITICAL: "critical crit error err page fatal emergency emerg alert panic disaster major high highest"
    " urgent blocker severe outage p0 p1 p2 sev0 sev1 sev2 s0 s1 s2",
    Severity.WARNING: "warning warn minor average medium moderate normal p3 sev3 s3",
    Severity.INFO: "info information informational none notice low lowest debug trivial ok okay p4 p5 sev4 sev5 s4 s5",
}

SEVERITIES: Mapping[str, Severity] = {
    word: severity for severity, words in _SEVERITIES.items() for word in words.split()
}
"""A word that is not here says nothing: numbers alone mean opposite things to different senders."""

_STATUSES = {
    AlertStatus.FIRING: "firing alerting alert active open opened triggered trigger problem error failed failing down"
    " no_data nodata no-data critical warning",
    AlertStatus.RESOLVED: "resolved resolve ok okay normal inactive closed recovered recovery cleared up",
    AlertStatus.ACKNOWLEDGED: "acknowledged acknowledge acked ack",
    AlertStatus.UNKNOWN: "paused pending suppressed silenced muted",
}

STATUSES: Mapping[str, AlertStatus] = {word: status for status, words in _STATUSES.items() for word in words.split()}
"""`unknown` is not here: a check that cannot tell (Nagios) is one that somebody must look at."""

_FIRST_WORD = re.compile(r"[\w-]+")


def severity_of(values: Iterable[object], default: Severity) -> Severity:
    """The severity that the first of these values that is one of ours, or an alias, stands for."""
    return next((SEVERITIES[word] for word in map(_word, values) if word in SEVERITIES), default)


def status_of(*values: object) -> AlertStatus | None:
    """The status that the first of these values that is one stands for; None when none of them is."""
    return next((STATUSES[word] for word in map(_word, values) if word in STATUSES), None)


def _word(value: object) -> str:
    """`Alerting (NoData)` is alerting; `{"state": "active"}` (Alertmanager's own API) is active."""
    if isinstance(value, Mapping):
        value = value.get("state")
    if not isinstance(value, str):
        return ""
    found = _FIRST_WORD.search(line(value, 64).lower())
    return found.group() if found else ""
