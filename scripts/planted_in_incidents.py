"""Bugs in how incidents are opened, kept apart, moved on and counted."""

from planted import DOMAIN, INCIDENTS, ORDERING, TAKING, Mutation

IN_INCIDENTS = (
    Mutation(
        "a level is entered without comparing where the incident stands",
        f"{INCIDENTS}/src/pagerpal_incidents/domain/incident.py",
        "and incident.position == asked.expected",
        "",
        f"{INCIDENTS}/tests/integration/test_commands.py::test_two_clicks_never_skip_a_level",
    ),
    Mutation(
        "the timer pages for what somebody has acknowledged",
        f"{INCIDENTS}/src/pagerpal_incidents/domain/incident.py",
        "may_move = incident.status == IncidentStatus.TRIGGERED or (",
        "may_move = incident.status != IncidentStatus.RESOLVED or (",
        f"{INCIDENTS}/tests/unit/test_incident.py::test_the_timer_never_pages_for_what_somebody_has_taken",
    ),
    Mutation(
        "a poison alert takes its batch down",
        f"{INCIDENTS}/src/pagerpal_incidents/intake.py",
        "return [await _alone(ctx, alert) for alert in alerts]",
        "raise",
        f"{INCIDENTS}/tests/integration/test_intake.py::test_a_poison_alert_parks_alone",
    ),
    Mutation(
        "a redelivered alert is not looked up in the ledger",
        f"{INCIDENTS}/src/pagerpal_incidents/intake.py",
        "await _handled(tx, alerts) if race else {}",
        "{}",
        f"{INCIDENTS}/tests/integration/test_intake.py::test_the_same_alert_given_again_is_one_alert",
    ),
    Mutation(
        "what happened earlier counts as news when it arrives later",
        f"{DOMAIN}/order.py",
        "return 1 if word.event_at > known.event_at else -1",
        "return 1",
        f"{INCIDENTS}/tests/unit/test_histories.py::"
        "test_whatever_the_network_does_a_key_ends_as_its_newest_event_and_people_say",
    ),
    Mutation(
        "an episode that has ended may fire again",
        f"{DOMAIN}/order.py",
        "0 if begun_at < ended_at else 2",
        "0",
        f"{INCIDENTS}/tests/unit/test_order.py::test_the_rules[or when that has none]",
    ),
    Mutation(
        "an end is one of its own start alone",
        f"{DOMAIN}/order.py",
        "ended_at = max(word.event_at or begun_at, begun_at)",
        "ended_at = begun_at",
        f"{TAKING}::test_the_end_of_what_began_earlier_at_another_prometheus_is_an_end",
    ),
    Mutation(
        "what is back with an earlier start stays asleep",
        f"{DOMAIN}/take.py",
        "if _is_same_episode(word, closed) or compare(word, closed.last_word, case.at) <= 0:",
        "if not _is_same_episode(word, closed) and compare(word, closed.last_word, case.at) <= 0:\n"
        "        return True\n"
        "    if _is_same_episode(word, closed):",
        f"{TAKING}::test_what_began_earlier_at_another_prometheus_is_back_minutes_after_its_end_and_wakes_somebody",
    ),
    Mutation(
        "a clock that was set back makes what is new old",
        f"{DOMAIN}/order.py",
        " <= at + SET_BACK",
        "",
        f"{TAKING}::test_a_clock_of_ours_that_was_set_back_leaves_nobody_asleep",
    ),
    Mutation(
        "an end that comes before its beginning is forgotten",
        f"{DOMAIN}/take.py",
        "elif history.early is not None and",
        "elif history.early is None and",
        f"{TAKING}::test_a_firing_whose_end_came_first_is_on_record_and_pages_nobody",
    ),
    Mutation(
        "what a person has resolved is opened again by its repeats",
        f"{DOMAIN}/take.py",
        "return not is_back(word, closed.last_word)",
        "return False",
        f"{TAKING}::test_what_a_person_resolved_while_it_fires_on_is_told_and_opens_nothing",
    ),
    Mutation(
        "what is back minutes after its source called it over wakes nobody",
        f"{DOMAIN}/take.py",
        "return not is_back(word, closed.last_word)",
        "return True",
        f"{TAKING}::test_an_episode_that_fires_minutes_after_its_end_is_back_and_wakes_somebody",
    ),
    Mutation(
        "an end that is said again undoes a person's reopening",
        f"{DOMAIN}/take.py",
        "if compare(case.word, incident.last_word, case.at) <= 0:",
        "if compare(case.word, incident.last_word, case.at) < 0:",
        f"{ORDERING}::test_an_end_said_again_does_not_undo_that_a_person_reopened_it",
    ),
    Mutation(
        "what flaps is reopened, and nobody is told",
        f"{DOMAIN}/fold.py",
        "{AlertOutcome.OPENED, AlertOutcome.REOPENED}",
        "{AlertOutcome.OPENED}",
        f"{ORDERING}::test_firing_again_soon_reopens_the_incident_and_pages_anew",
    ),
    Mutation(
        "a test makes real trouble look old",
        f"{INCIDENTS}/src/pagerpal_incidents/storage/histories.py",
        " AND NOT is_test",
        "",
        f"{ORDERING}::test_a_test_is_seen_and_pages_nobody_and_is_no_history",
    ),
    Mutation(
        "keys that are not open are not held",
        f"{INCIDENTS}/src/pagerpal_incidents/storage/histories.py",
        " AND (SELECT count(*) FROM held) >= 0",
        "",
        f"{ORDERING}::test_an_end_and_its_firing_that_are_handled_at_once_leave_nothing_open",
    ),
    Mutation(
        "a title that changes with every alert floods the timeline",
        f"{DOMAIN}/told.py",
        "if number < _LIMITS[kind] else None",
        "if number >= 0 else None",
        f"{TAKING}::test_words_that_change_with_every_alert_do_not_flood_the_timeline",
    ),
    Mutation(
        "a step that is repeated is applied again",
        f"{INCIDENTS}/src/pagerpal_incidents/handlers.py",
        "changes.append(enter_level(incident, asked, at=at))",
        "changes.append(enter_level(incident, asked.model_copy(update={'expected': incident.position}), at=at))",
        f"{INCIDENTS}/tests/integration/test_commands.py::test_entering_a_level_requests_its_pages_once",
    ),
    Mutation(
        "a counter forgets what it said before",
        f"{INCIDENTS}/src/pagerpal_incidents/storage/counts.py",
        "SET number = counts.number + excluded.number",
        "SET number = excluded.number",
        f"{INCIDENTS}/tests/integration/test_counts.py::test_adding_up_changes_no_sum_and_leaves_nothing_to_add_up",
    ),
)
