"""What came of acting on several incidents at once, in a sentence or two? Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

MOST_NAMED = 3
"""Incidents that are named one by one."""


class Ending(StrEnum):
    """What an action on one incident came to."""

    DONE = "done"
    TOO_LATE = "too_late"  # somebody was faster, or it is not open any more
    REFUSED = "refused"  # it is not there any more, or the action is not allowed
    DELAYED = "delayed"  # nobody has answered: try again


@dataclass(frozen=True)
class Outcome:
    """Of one incident."""

    incident_id: int
    ending: Ending
    why: str = ""
    """By whom it was, or why not."""


def summary(outcomes: Sequence[Outcome], done: str) -> str:
    """How many were done, and what became of the others.

    Args:
        done: the action in the past tense: `acknowledged`.
    """
    if not outcomes:
        return "No incident was ticked. Nothing was changed."
    parts = [f"{_number(_of(outcomes, Ending.DONE), 'incident')} {done}."]
    late = _of(outcomes, Ending.TOO_LATE)
    if late:
        parts.append(f"{len(late)} no longer needed it: {_named(late)}.")
    refused = _of(outcomes, Ending.REFUSED)
    if refused:
        parts.append(f"{len(refused)} refused: {_named(refused)}.")
    delayed = _of(outcomes, Ending.DELAYED)
    if delayed:
        waiting = _number(delayed, "incident")
        parts.append(f"{waiting} not {done}: nobody has answered. They are still ticked; try again.")
    return " ".join(parts)


def _of(outcomes: Sequence[Outcome], ending: Ending) -> list[Outcome]:
    return [outcome for outcome in outcomes if outcome.ending is ending]


def _number(outcomes: Sequence[Outcome], noun: str) -> str:
    return f"{len(outcomes)} {noun}{'' if len(outcomes) == 1 else 's'}"


def _named(outcomes: Sequence[Outcome]) -> str:
    named = ", ".join(f"#{outcome.incident_id} {outcome.why}" for outcome in outcomes[:MOST_NAMED])
    rest = len(outcomes) - MOST_NAMED
    return f"{named} and {rest} more" if rest > 0 else named
