"""What a key means that was pressed in a call."""

from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID

import pytest
from pagerpal_common.contracts.escalations import RequestEscalation
from pagerpal_common.contracts.incidents import AcknowledgeIncident
from pagerpal_common.contracts.receipts import KEYS
from pagerpal_notifier.domain.keys import ACKNOWLEDGE, ESCALATE, Called, command_of

T0 = datetime(2026, 5, 21, 3, tzinfo=UTC)
CALLED = Called(UUID("01935a7e-0000-7000-8000-000000000001"), 7, 42, 5, 2, is_wanted=True, is_latest=True)


def test_1_acknowledges_in_the_name_of_whoever_was_called() -> None:
    command = command_of("1", CALLED, at=T0)

    assert isinstance(command, AcknowledgeIncident)
    assert (command.incident_id, command.actor_user_id, command.acting_as_user_id) == (42, 5, 5)


def test_2_asks_for_the_level_after_the_one_that_called() -> None:
    command = command_of("2", CALLED, at=T0)

    assert isinstance(command, RequestEscalation)
    assert (command.incident_id, command.actor_user_id, command.acting_as_user_id) == (42, 5, 5)
    assert command.expected_level == 2


@pytest.mark.parametrize("key", KEYS)
def test_what_is_answered_already_stays_as_it_is(key: str) -> None:
    assert command_of(key, replace(CALLED, is_wanted=False), at=T0) is None


def test_once_the_next_level_is_paged_1_still_counts_and_2_has_come_true() -> None:
    later = replace(CALLED, is_latest=False)

    assert isinstance(command_of("1", later, at=T0), AcknowledgeIncident)
    assert command_of("2", later, at=T0) is None


@pytest.mark.parametrize("key", ["", "3", "12", "#"])
def test_other_keys_mean_nothing(key: str) -> None:
    assert command_of(key, CALLED, at=T0) is None


def test_the_keys_are_those_that_receipts_hand_on() -> None:
    assert (ACKNOWLEDGE, ESCALATE) == KEYS
