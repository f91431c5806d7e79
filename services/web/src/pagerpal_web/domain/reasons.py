"""How are those whom a line speaks of by their number called on a page? Pure: the names are an argument.

What a reason itself reads like is `pagerpal_common.reasons`.
"""

import re
from collections.abc import Mapping

from pagerpal_web.domain.shown import plain

LONGEST_NAME = 80

# What `pagerpal_common.escalation` writes of a level that it passes over.
_INACTIVE = re.compile(r"\buser (?P<number>\d{1,18}) is not active")


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
