"""What pages say of incidents: what comes next, who was first, and what came of acting on several."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pagerpal_common.contracts.escalations import Position
from pagerpal_common.contracts.incidents import IncidentView
from pagerpal_common.escalation import Step
from pagerpal_common.vocabulary import IncidentStatus
from pagerpal_web.domain.coming import Coming, Standing, Way, coming
from pagerpal_web.domain.first import before_you, was_first, who_was
from pagerpal_web.domain.shown import lines
from pagerpal_web.domain.together import Ending, Outcome, summary

NOW = datetime(2026, 5, 21, 12, tzinfo=UTC)
NAMES = {1: "Ana", 2: "Bo"}


def second(number: float) -> datetime:
    return NOW + timedelta(seconds=number)


def a_standing(**changes: Any) -> Standing:
    fields: dict[str, Any] = {"status": IncidentStatus.TRIGGERED, "is_test": False, "ways": (), "due_at": None}
    return Standing(**{**fields, "step": None, "people": (), **changes})


def a_step(**position: int) -> Step:
    place = Position(**{"pass_number": 1, "level": 2, **position})
    return Step(place, (), (), False, timedelta(minutes=5))


def an_incident(**changes: Any) -> IncidentView:
    empty = dict.fromkeys(IncidentView.model_fields)
    fields = {"id": 7, "title": "x", "description": "", "severity": "info", "status": "triggered", "source_id": 1}
    numbers = ("team_id", "current_escalation_level", "notification_count", "escalation_id", "escalation_pass")
    rest = {"created_at": NOW, "last_alert_at": NOW, "alert_count": 1, "links": (), "labels": {}, "is_unreached": False}
    return IncidentView.model_validate({**empty, **fields, **dict.fromkeys(numbers, 1), **rest, **changes})


def test_what_comes_next_is_in_order_of_time() -> None:
    ways = (Way("voice", "Bo", False, second(120), 0), Way("sms", "Bo", True, second(30), 1))
    standing = a_standing(ways=ways, due_at=second(60), step=a_step(), people=("Cy", "Di", "Ed"))

    assert coming(standing, NOW) == [
        Coming("SMS to Bo is being sent", None),
        Coming("Level 2 pages Cy, Di and Ed", second(60)),
        Coming("Call to Bo", second(120)),
    ]


@pytest.mark.parametrize(
    ("way", "expected"),
    [
        (Way("sms", "Bo", False, second(5), 0), Coming("SMS to Bo", second(5))),
        (Way("email", "Bo", False, second(5), 2), Coming("Mail to Bo, try 3", second(5))),
        (Way("webhook", "Bo", False, second(-5), 0), Coming("Webhook to Bo goes out", None)),
        (
            Way("sms", "Bo", True, second(5), 1, "infobip"),
            Coming("SMS to Bo goes out once infobip answers again", None),
        ),
    ],
)
def test_a_notification_that_waits_says_when_it_goes_out(way: Way, expected: Coming) -> None:
    assert coming(a_standing(ways=(way,)), NOW) == [expected]


@pytest.mark.parametrize(
    ("position", "text"),
    [
        ({"pass_number": 2}, "Level 2 of pass 2 pages Cy"),
        ({"reminder": 3}, "Reminder 3 pages Cy"),
    ],
)
def test_later_passes_and_reminders_are_told_from_levels(position: dict[str, int], text: str) -> None:
    standing = a_standing(due_at=second(9), step=a_step(**position), people=("Cy",))
    assert coming(standing, NOW) == [Coming(text, second(9))]


def test_an_acknowledgement_with_a_time_out_ends_in_the_next_level_and_nothing_else() -> None:
    way = Way("sms", "Bo", False, second(5), 0)
    standing = a_standing(
        status=IncidentStatus.ACKNOWLEDGED, ways=(way,), due_at=second(9), step=a_step(), people=("Cy",)
    )
    assert coming(standing, NOW) == [Coming("Triggered again, and level 2 pages Cy", second(9))]


@pytest.mark.parametrize("changes", [{"status": IncidentStatus.RESOLVED}, {"is_test": True}])
def test_nothing_comes_of_what_is_over_or_a_test(changes: dict[str, Any]) -> None:
    ways = (Way("sms", "Bo", False, second(5), 0),)
    standing = a_standing(ways=ways, due_at=second(9), step=a_step(), people=("Cy",), **changes)
    assert coming(standing, NOW) == []


def test_a_level_that_reaches_nobody_says_so() -> None:
    standing = a_standing(due_at=second(-1), step=a_step())
    assert coming(standing, NOW) == [Coming("Level 2 pages nobody", None)]


def test_only_a_change_by_oneself_is_ones_own() -> None:
    open_, mine = an_incident(), an_incident(status="acknowledged", acknowledged_by=1, acknowledged_at=NOW)
    other = an_incident(status="acknowledged", acknowledged_by=2, acknowledged_at=NOW)
    over = an_incident(status="resolved", resolved_by=1, acknowledged_by=2, resolved_at=NOW)

    assert was_first(open_, mine, 1)
    assert was_first(mine, over, 1)
    assert not was_first(open_, other, 1)
    assert not was_first(mine, mine, 1)


@pytest.mark.parametrize(
    ("by", "length", "text"),
    [
        (2, 4, "Bo acknowledged it 4 s before you."),
        (2, 600, "Bo acknowledged it 10 min before you."),
        (2, 8000, "Bo acknowledged it 2 h before you."),
        (2, -3, "Bo acknowledged it 0 s before you."),
        (1, 4, "You had acknowledged it already."),
        (9, 4, "User 9 acknowledged it 4 s before you."),
        (None, 4, "Its alert source acknowledged it 4 s before you."),
    ],
)
def test_who_was_before_whom(by: int | None, length: int, text: str) -> None:
    incident = an_incident(status="acknowledged", acknowledged_by=by, acknowledged_at=NOW)
    assert before_you(incident, 1, NAMES, second(length)) == text


def test_who_brought_it_where_it_stands() -> None:
    resolved = an_incident(status="resolved", acknowledged_by=1, resolved_by=2, resolved_at=NOW)
    assert who_was(resolved, 1, NAMES) == "resolved by Bo"
    assert who_was(an_incident(), 1, NAMES) == ""


def test_several_are_summed_up() -> None:
    outcomes = [
        Outcome(1, Ending.DONE),
        *(Outcome(number, Ending.TOO_LATE, "resolved by Bo") for number in range(2, 7)),
        Outcome(8, Ending.REFUSED, "is not there"),
        Outcome(9, Ending.DELAYED),
        Outcome(10, Ending.DELAYED),
    ]
    assert summary(outcomes, "acknowledged") == (
        "1 incident acknowledged. "
        "5 no longer needed it: #2 resolved by Bo, #3 resolved by Bo, #4 resolved by Bo and 2 more. "
        "1 refused: #8 is not there. "
        "2 incidents not acknowledged: nobody has answered. They are still ticked; try again."
    )
    assert summary([Outcome(1, Ending.DONE), Outcome(2, Ending.DONE)], "resolved") == "2 incidents resolved."
    assert summary([], "resolved") == "No incident was ticked. Nothing was changed."


def test_lines_stay_and_nothing_invisible_does() -> None:
    assert lines("\n one\u202e\r\ntwo\u200b  \n\n\x00three\n") == " one\ntwo\n\n three"
