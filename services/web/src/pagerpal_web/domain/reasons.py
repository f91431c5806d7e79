"""What does a reason that was written down with numbers read like to people? Pure: the names are an argument.

Reasons are stored as they were true then, with the numbers of what they name; names are looked up when they are shown.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from pagerpal_web.domain.shown import plain

LONGEST_NAME = 80

# What `pagerpal_common.escalation` and `notification_rules` write. A name before it may say the same: the last counts.
_ON_CALL = re.compile(r"(?P<before>on call on schedule .*) by (?P<kind>rotation|entry|override) (?P<number>\d{1,18})")
_RULE = re.compile(r"rule \d+ for (?P<rest>(?:critical|warning|info|any): .*)")
_METHOD = re.compile(r"contact method \d+ (?P<rest>is (?:not verified|gone, or not verified any more))")
_INACTIVE = re.compile(r"\buser (?P<number>\d{1,18}) is not active")


@dataclass(frozen=True)
class Mentioned:
    """The numbers of what reasons speak of."""

    rotations: frozenset[int]
    entries: frozenset[int]


@dataclass(frozen=True)
class Known:
    """What these are called, as far as they are there still."""

    rotations: Mapping[int, str]
    entries: Mapping[int, tuple[datetime, datetime]]
    """From when to when: an entry has no name."""


def mentioned(lines: Iterable[str]) -> Mentioned:
    """What is to be looked up for these lines."""
    found = [match for line in lines if (match := _ON_CALL.fullmatch(line))]
    rotations = frozenset(int(match["number"]) for match in found if match["kind"] == "rotation")
    return Mentioned(rotations, frozenset(int(match["number"]) for match in found) - rotations)


def named(line: str, known: Known, clock: Callable[[datetime], str]) -> str:
    """The line with names: `on call on schedule 'Core' by rotation 'Nights'`.

    Args:
        clock: writes a time as whoever reads it wants it.
    """
    match = _ON_CALL.fullmatch(line)
    if match is None:
        return worded(line)
    return f"{match['before']} by {_holder(match['kind'], int(match['number']), known, clock)}"


def worded(line: str) -> str:
    """The line without the numbers of what belongs to one person, and has no name that others know."""
    if match := _RULE.fullmatch(line):
        return f"their own rule for {match['rest']}"
    if match := _METHOD.fullmatch(line):
        return f"the contact method {match['rest']}"
    return line


def inactive(line: str) -> frozenset[int]:
    """The people of whom a line of the timeline says by their number that they are not active."""
    return frozenset(int(match["number"]) for match in _INACTIVE.finditer(line))


def with_people(line: str, names: Mapping[int, str]) -> str:
    """The same line with their names."""
    return _INACTIVE.sub(lambda match: f"{_person(int(match['number']), names)} is not active", line)


def short(name: str, otherwise: str = "(no name)") -> str:
    """A name as it stands in a sentence: one line, and not too long."""
    text = plain(name, otherwise)
    return text if len(text) <= LONGEST_NAME else f"{text[: LONGEST_NAME - 1]}…"


def _person(number: int, names: Mapping[int, str]) -> str:
    return short(names[number]) if number in names else f"a deleted user ({number})"


def _holder(kind: str, number: int, known: Known, clock: Callable[[datetime], str]) -> str:
    if kind == "rotation" and number in known.rotations:
        return f"rotation {short(known.rotations[number])!r}"
    if kind != "rotation" and number in known.entries:
        starts_at, ends_at = known.entries[number]
        return f"an {kind} from {clock(starts_at)} to {clock(ends_at)}"
    return f"a deleted {kind} ({number})"
