"""How often is a line told, so that no storm of alerts floods a timeline?

Each incident counts, by kind, the lines that alerts may cause without end. With at most `FLAPS` reopenings its timeline
stays short enough to read, and the ledger has every alert anyway.
"""

from collections.abc import Mapping
from zlib import crc32

FLAPS = 100
"""How often a source may reopen an incident; what fires again after that opens a new one."""

NOTES = 10
"""Notes of different words that one incident is told."""

_LIMITS: Mapping[str, int] = {
    "alert_updated": 20,
    "severity_changed": 50,
    "late_alert": 1,
    "still_firing": 1,
    "unknown": 1,
    "test_alert": 1,
}
_ONCE_A_RUN = frozenset({"late_alert", "still_firing", "unknown", "test_alert"})
_NOTE = "note "

Told = Mapping[str, int]


def telling(told: Told, kind: str) -> Told | None:
    """What has been told once this line is; None when lines of its kind have been told often enough."""
    number = told.get(kind, 0)
    return {**told, kind: number + 1} if number < _LIMITS[kind] else None


def noting(told: Told, note: str) -> Told | None:
    """The same for a note: each text once, and not too many of them."""
    kind = f"{_NOTE}{crc32(note.encode()):08x}"
    notes = sum(kind.startswith(_NOTE) for kind in told)
    return {**told, kind: 1} if kind not in told and notes < NOTES else None


def told_anew(told: Told) -> Told:
    """What has been told when a new run begins: what is told once a run may be told again."""
    return {kind: number for kind, number in told.items() if kind not in _ONCE_A_RUN}
