"""What does a reason that was written down with numbers read like to people? Pure: the names are an argument.

`escalation.py` and `notification_rules.py` write reasons as they are true then, with the numbers of what they name.
They are stored so, and never changed; whoever shows one to people looks the names up (docs/decisions/0037).
"""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

# A name before it may say the same: the last counts.
_ON_CALL = re.compile(r"(?P<before>on call on schedule .*) by (?P<kind>rotation|entry|override) (?P<number>\d{1,18})")
_RULE = re.compile(r"rule \d+ for (?P<rest>(?:critical|warning|info|any): .*)")
_METHOD = re.compile(r"contact method \d+ (?P<rest>is (?:not verified|gone, or not verified any more))")


@dataclass(frozen=True)
class Mentioned:
    """The numbers of what reasons speak of."""

    rotations: frozenset[int]
    entries: frozenset[int]


@dataclass(frozen=True)
class Known:
    """What these are called, as far as they are there still."""

    rotations: Mapping[int, str]
    """Names as they may stand in a sentence: short, and without what hides or reorders text."""
    entries: Mapping[int, tuple[datetime, datetime]]
    """From when to when: an entry has no name."""


def mentioned(lines: Iterable[str]) -> Mentioned:
    """What is to be looked up for these lines."""
    found = [match for line in lines if (match := _ON_CALL.fullmatch(line))]
    rotations = frozenset(int(match["number"]) for match in found if match["kind"] == "rotation")
    return Mentioned(rotations, frozenset(int(match["number"]) for match in found if match["kind"] != "rotation"))


def named(line: str, known: Known, clock: Callable[[datetime], str], *, whose: str = "their") -> str:
    """The line with names: `on call on schedule 'Core' by rotation 'Nights'`.

    Args:
        clock: writes a time as whoever reads it wants it.
        whose: as `worded` has it.
    """
    match = _ON_CALL.fullmatch(line)
    if match is None:
        return worded(line, whose=whose)
    return f"{match['before']} by {_holder(match['kind'], int(match['number']), known, clock)}"


def worded(line: str, *, whose: str = "their") -> str:
    """The line without the numbers of what belongs to one person, and has no name that others know.

    Args:
        whose: what the person's own is called to whoever reads it: `your` to the person.
    """
    if match := _RULE.fullmatch(line):
        return f"{whose} own rule for {match['rest']}"
    if match := _METHOD.fullmatch(line):
        return f"the contact method {match['rest']}"
    return line


def _holder(kind: str, number: int, known: Known, clock: Callable[[datetime], str]) -> str:
    if kind == "rotation" and number in known.rotations:
        return f"rotation {known.rotations[number]!r}"
    if kind != "rotation" and number in known.entries:
        starts_at, ends_at = known.entries[number]
        return f"an {kind} from {clock(starts_at)} to {clock(ends_at)}"
    return f"a deleted {kind} ({number})"
