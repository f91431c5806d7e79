"""Can the tests fail? Each deliberate bug here must turn a named test red: `.venv/bin/python scripts/mutations.py`.

The bugs are planted in a copy of the tree, one at a time. Takes some minutes, so CI does not run it; whoever changes
one of these lines or tests should.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
COMMON = "libs/pagerpal_common/src/pagerpal_common"
COMMON_TESTS = "libs/pagerpal_common/tests"
INCIDENTS = "services/incidents"
INGEST = "services/ingest"
DOMAIN = f"{INCIDENTS}/src/pagerpal_incidents/domain"
TAKING = f"{INCIDENTS}/tests/unit/test_take.py"
ORDERING = f"{INCIDENTS}/tests/integration/test_order.py"
NOTIFIER = "services/notifier"
WEB = "services/web"
REPLYING = f"{WEB}/tests/integration/test_replies.py"
SENDING = f"{NOTIFIER}/tests/integration/test_sending.py"


@dataclass(frozen=True)
class Mutation:
    """One bug: `old` becomes `new` in `file`, and `test` must notice."""

    bug: str
    file: str
    old: str
    new: str
    test: str


MUTATIONS = (
    Mutation(
        "the auditor believes what it sees once",
        f"{WEB}/src/pagerpal_web/domain/auditor.py",
        "at if looks >= LOOKS else None",
        "at",
        f"{WEB}/tests/integration/test_auditor.py::"
        "test_what_is_late_at_one_look_and_done_at_the_next_turns_nothing_red",
    ),
    Mutation(
        "a step that is asked for for ever is never overdue",
        f"{WEB}/src/pagerpal_web/auditor.py",
        "if (since := overdue(step, at))]",
        "if (since := overdue(step, at)) and not step]",
        f"{WEB}/tests/integration/test_auditor.py::test_each_breach_turns_its_check_red_within_a_minute",
    ),
    Mutation(
        "the auditor forgets to tell what the bus did not take",
        f"{WEB}/src/pagerpal_web/domain/auditor.py",
        "is_said = state.told_at is not None and",
        "is_said = state.red_since != at or state.told_at is not None and",
        f"{WEB}/tests/integration/test_auditor.py::test_an_alert_that_the_bus_did_not_take_is_told_at_the_next_look",
    ),
    Mutation(
        "the outgoing heartbeat goes on while a job is red",
        f"{WEB}/src/pagerpal_web/outgoing_heartbeat.py",
        "if all(job.healthy for job in jobs):",
        "if jobs:",
        f"{WEB}/tests/integration/test_outgoing_heartbeat.py::test_it_is_not_called_otherwise",
    ),
    Mutation(
        "an alert that is in the spool and in the ledger is counted twice",
        f"{WEB}/src/pagerpal_web/storage/ledger.py",
        "AND (SELECT true FROM incidents.alerts a WHERE a.alert_id = s.alert_id) IS NULL",
        "",
        f"{WEB}/tests/integration/test_ledger.py::test_in_any_world_the_parts_are_what_was_accepted",
    ),
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
        "results = [await _alone(ctx, alert) for alert in once]",
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
        "if word.is_over or known.is_over:",
        "if False:",
        f"{INCIDENTS}/tests/unit/test_histories.py::"
        "test_whatever_the_network_does_a_key_ends_as_its_newest_event_and_people_say",
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
        "if _is_same_episode(word, closed) or compare",
        "if compare",
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
        "return enter_level(incident, asked, at=at)",
        "return enter_level(incident, asked.model_copy(update={'expected': incident.position}), at=at)",
        f"{INCIDENTS}/tests/integration/test_commands.py::test_entering_a_level_requests_its_pages_once",
    ),
    Mutation(
        "the outbox relay does not wait for the bus",
        f"{COMMON}/outbox.py",
        "await asyncio.gather(*(bus.publish(",
        "asyncio.gather(*(bus.publish(",
        f"{COMMON_TESTS}/integration/test_outbox.py::test_an_absent_bus_keeps_everything_for_later",
    ),
    Mutation(
        "in memory a time-out is called kept",
        f"{COMMON}/bus/memory.py",
        'raise BusUnavailable(f"no answer to',
        'from pagerpal_common.errors import NoReply\n            raise NoReply(f"no answer to',
        f"{COMMON_TESTS}/integration/test_bus_contract.py::test_a_late_reply_is_told_and_the_handler_goes_on",
    ),
    Mutation(
        "a service keeps the login's own rights",
        f"{COMMON}/db.py",
        'settings["role"] = f"pagerpal_{role}"',
        "pass",
        f"{COMMON_TESTS}/integration/test_schema.py::test_a_service_takes_its_role_on_connect",
    ),
    Mutation(
        "the claim does not ask whether the page is still wanted",
        f"{NOTIFIER}/src/pagerpal_notifier/storage/notifications.py",
        "coalesce(i.status = 'triggered' AND i.escalation_id = n.escalation_id AND r.is_open, false) AS is_wanted",
        "true AS is_wanted",
        f"{SENDING}::test_nothing_goes_out_after_an_answer",
    ),
    Mutation(
        "an unknown outcome is repeated with a new id",
        f"{NOTIFIER}/src/pagerpal_notifier/storage/notifications.py",
        "WHEN n.status = 'sending' AND n.address = l.address THEN n.provider_message_id",
        "WHEN false THEN n.provider_message_id",
        f"{SENDING}::test_an_unknown_outcome_is_repeated_with_the_same_id_and_goes_out_once",
    ),
    Mutation(
        "two senders may claim the same page",
        f"{NOTIFIER}/src/pagerpal_notifier/storage/notifications.py",
        "    WHERE n.due_at <= :now\n    ORDER BY n.due_at\n    LIMIT :limit\n    FOR UPDATE OF n SKIP LOCKED",
        "    WHERE n.due_at <= :now\n    ORDER BY n.due_at\n    LIMIT :limit",
        f"{NOTIFIER}/tests/integration/test_races.py::test_several_senders_at_once_send_each_page_once",
    ),
    Mutation(
        "a handoff that comes twice happens the second time",
        f"{COMMON}/wall_clock.py",
        "return _instant(wall, zone, fold=0)",
        "return _instant(wall, zone, fold=1)",
        f"{COMMON_TESTS}/unit/test_rotation.py::test_no_transition_of_any_zone_opens_a_hole_or_leaves_two_people",
    ),
    Mutation(
        "somebody deactivated keeps the turn that is theirs",
        f"{COMMON}/oncall.py",
        "[with_stand_ins(rotation, active) for rotation in rotations]",
        "list(rotations)",
        f"{COMMON_TESTS}/unit/test_oncall.py::test_whoever_is_inactive_is_passed_over_wherever_they_stand",
    ),
    Mutation(
        "simulate asks once who is on call",
        "services/web/src/pagerpal_web/api/simulate.py",
        "facts = await facts_at(policy, at)",
        "facts = await facts_at(policy, entered[0].at if entered else at)",
        "tests/unit/test_simulate_is_live.py::test_simulate_says_what_the_escalator_does",
    ),
    Mutation(
        "a click that is handled twice enters two levels",
        "services/escalator/src/pagerpal_escalator/handlers.py",
        "if level and timedelta(0) <= since <= SAME_CLICK:",
        "if False:",
        "services/escalator/tests/integration/test_manual_escalation.py::"
        "test_a_request_handled_again_after_its_answer_was_lost_enters_no_further_level",
    ),
    Mutation(
        "any host that begins like Amazon's is asked",
        f"{INGEST}/src/pagerpal_ingest/domain/sns_urls.py",
        'parts.netloc.lower() in {host, f"{host}:443"}',
        "parts.netloc.lower().startswith(host)",
        f"{INGEST}/tests/unit/test_sns_urls.py::test_no_other_host_is_asked_for_anything",
    ),
    Mutation(
        "a signature is read but not verified",
        f"{INGEST}/src/pagerpal_ingest/sns.py",
        "        check_signature(message, certificate)\n",
        "",
        f"{INGEST}/tests/integration/test_receive_sns.py::test_a_bad_signature_is_403_and_confirms_nothing",
    ),
    Mutation(
        "the end of one time series of an alarm ends the incident of all",
        f"{INGEST}/src/pagerpal_ingest/domain/cloudwatch.py",
        'f"{which}#{alarm.contributor}" if alarm.contributor else which',
        "which",
        f"{INGEST}/tests/unit/test_cloudwatch.py::test_each_time_series_of_an_alarm_is_an_incident_of_its_own",
    ),
    Mutation(
        "a session is believed however old it is",
        f"{WEB}/src/pagerpal_web/sessions.py",
        "if session is None or is_over(session.last_seen_at, session.expires_at, now):",
        "if session is None:",
        f"{WEB}/tests/integration/test_sessions.py::test_a_session_ends_after_twelve_hours_without_a_request",
    ),
    Mutation(
        "a new role leaves the sessions of the old one",
        f"{WEB}/src/pagerpal_web/storage/users.py",
        "if before.role != after.role or not after.is_active:",
        "if not after.is_active:",
        f"{WEB}/tests/integration/test_sessions.py::"
        "test_a_new_role_a_deactivation_and_a_new_password_end_somebodys_sessions_at_once",
    ),
    Mutation(
        "a login does not hold off the new password that crosses it",
        f"{WEB}/src/pagerpal_web/storage/sessions.py",
        "        FOR NO KEY UPDATE\n",
        "",
        f"{WEB}/tests/integration/test_sessions.py::"
        "test_what_ends_sessions_waits_for_a_login_that_is_under_way_and_ends_its_session",
    ),
    Mutation(
        "whoever sees no admin becomes one",
        f"{WEB}/src/pagerpal_web/api/bootstrap.py",
        "if not await users.claim_first_admin(tx, nobody.at) or await users.has_admin(tx):",
        "if await users.has_admin(tx):",
        f"{WEB}/tests/integration/test_bootstrap.py::test_of_fifty_at_once_on_two_replicas_one_wins",
    ),
    Mutation(
        "a wrong password is counted once it is found wrong",
        f"{WEB}/src/pagerpal_web/logins.py",
        "wait = self._attempts.begin(guessing, at)",
        "wait = timedelta(0)",
        f"{WEB}/tests/integration/test_brute_force.py::test_guesses_that_come_all_at_once_are_no_more_than_others",
    ),
    Mutation(
        "what is made is not in the audit log",
        f"{WEB}/src/pagerpal_web/storage/resources.py",
        "    await record_change(tx, resource, None, row, by)\n",
        "",
        f"{WEB}/tests/integration/test_audit.py::test_every_resource_leaves_a_line_for_each_thing_that_is_done_to_it",
    ),
    Mutation(
        "every alert has the status of its group",
        f"{INGEST}/src/pagerpal_ingest/domain/alert_group.py",
        'status = status_of(entry.get("status")) or',
        "status = group.status or",
        f"{INGEST}/tests/unit/test_alert_group.py::test_one_resolved_alert_in_a_group_that_fires_is_resolved",
    ),
    Mutation(
        "the end of an episode is as old as its beginning",
        f"{INGEST}/src/pagerpal_ingest/domain/moments.py",
        "    if not is_over:\n        return starts_at\n",
        "    return starts_at\n",
        f"{INGEST}/tests/unit/test_alert_group.py::test_the_end_of_an_episode_is_newer_than_its_beginning",
    ),
    Mutation(
        "an alert of a group that may be lost is answered as kept",
        f"{INGEST}/src/pagerpal_ingest/reception.py",
        "                raise result\n",
        "                result = None\n",
        f"{INGEST}/tests/integration/test_webhooks.py::test_with_both_away_the_sender_is_told_to_send_all_of_it_again",
    ),
    Mutation(
        "any signature is a right one",
        f"{INGEST}/src/pagerpal_ingest/domain/signature.py",
        "if not hmac.compare_digest(",
        "if not given and hmac.compare_digest(",
        f"{INGEST}/tests/integration/test_webhooks.py::test_a_source_with_a_secret_takes_only_what_is_signed",
    ),
    Mutation(
        "a replica whose loop fails writes over what a working one has written",
        f"{COMMON}/heartbeat.py",
        "return None if ends.last_run_at == written.last_run_at else ends.last_run_at",
        "return ends.last_run_at",
        f"{COMMON_TESTS}/integration/test_heartbeat.py::test_of_two_replicas_the_one_that_works_counts",
    ),
    Mutation(
        "a job is judged by its freshest loop",
        "services/web/src/pagerpal_web/domain/jobs.py",
        "problems = [problem for loop in loops for problem in _problems(loop, runs.get(loop), at)]",
        "problems = [problem for loop in loops[:1] for problem in _problems(loop, runs.get(loop), at)]",
        "services/web/tests/unit/test_jobs.py::test_the_stalest_loop_decides",
    ),
    Mutation(
        "production takes any secret",
        f"{COMMON}/config.py",
        "problems += _unfit_for_production(model, given)",
        "pass",
        f"{COMMON_TESTS}/unit/test_secret_strength.py::"
        "test_one_message_lists_the_problems_of_all_services_each_once_and_without_a_value",
    ),
    Mutation(
        "ingest is not ready while the broker is away",
        f"{COMMON}/readiness.py",
        "return condition.bus or condition.database",
        "return condition.bus and condition.database",
        f"{COMMON_TESTS}/integration/test_readiness.py::"
        "test_nothing_takes_away_from_senders_what_can_still_keep_an_alert",
    ),
    Mutation(
        "the last receipt wins, and not the strongest",
        f"{NOTIFIER}/src/pagerpal_notifier/receipts.py",
        "number: join([known[number], word])",
        "number: word",
        f"{NOTIFIER}/tests/integration/test_receipts.py::test_a_page_that_was_delivered_stays_so_in_the_books",
    ),
    Mutation(
        "a receipt mails people of what is over",
        f"{NOTIFIER}/src/pagerpal_notifier/storage/notifications.py",
        "JOIN incidents.page_requests r ON r.id = n.page_request_id AND r.is_open\n"
        "JOIN incidents.incidents i ON i.id = n.incident_id AND i.status = 'triggered' AND i.escalation_id ="
        " n.escalation_id\nCROSS",
        "CROSS",
        f"{NOTIFIER}/tests/integration/test_receipts.py::test_a_receipt_for_what_is_over_changes_the_log_only",
    ),
    Mutation(
        "a retry of a try in doubt gets a new message id",
        f"{NOTIFIER}/src/pagerpal_notifier/domain/delivery.py",
        "S.SENDING if row.is_in_doubt else S.QUEUED",
        "S.QUEUED",
        f"{NOTIFIER}/tests/integration/test_retries.py::"
        "test_what_is_in_doubt_is_sent_again_with_the_same_message_id_and_goes_out_once",
    ),
    Mutation(
        "a counter forgets what it said before",
        f"{INCIDENTS}/src/pagerpal_incidents/storage/counts.py",
        "SET number = counts.number + excluded.number",
        "SET number = excluded.number",
        f"{INCIDENTS}/tests/integration/test_counts.py::test_adding_up_changes_no_sum_and_leaves_nothing_to_add_up",
    ),
    Mutation(
        "a page found from the end is off by one",
        "services/web/src/pagerpal_web/storage/incident_list.py",
        "from_the_end = total - offset - size",
        "from_the_end = total - offset - limit",
        "services/web/tests/integration/test_incident_list.py::"
        "test_any_filters_and_any_page_are_what_a_naive_reading_gives",
    ),
    Mutation(
        "a page goes to an address that nobody has proven",
        f"{NOTIFIER}/src/pagerpal_notifier/storage/notifications.py",
        "WHEN n.contact_method_id IS NOT NULL THEN p.address",
        "WHEN n.contact_method_id IS NOT NULL THEN m.address",
        f"{NOTIFIER}/tests/integration/test_rules.py"
        "::test_a_method_that_is_gone_or_changed_before_it_is_used_gives_way_to_the_next_at_once",
    ),
    Mutation(
        "rules that lead nowhere leave somebody asleep",
        f"{COMMON}/notification_rules.py",
        "if all(one.problem for one in planned):",
        "if not planned:",
        f"{COMMON_TESTS}/unit/test_notification_rules.py"
        "::test_whatever_the_rules_no_page_is_lost_early_or_out_of_order",
    ),
    Mutation(
        "a phone that no rule names is not even the last resort",
        f"{NOTIFIER}/src/pagerpal_notifier/storage/notifications.py",
        "('sms', u.phone), ('voice', u.phone), ('email', u.email)",
        "('email', u.email)",
        f"{NOTIFIER}/tests/integration/test_rules.py"
        "::test_when_the_only_rule_fails_the_persons_phone_and_mail_are_the_last_resort",
    ),
    Mutation(
        "codes that come all at once are all tried",
        f"{WEB}/src/pagerpal_web/storage/contact_checks.py",
        "FOR UPDATE OF c",
        "",
        f"{WEB}/tests/integration/test_contact_methods.py"
        "::test_five_codes_may_be_typed_in_also_when_they_come_all_at_once",
    ),
    Mutation(
        "an admin sees whole addresses",
        f"{WEB}/src/pagerpal_web/api/contact_methods.py",
        "if call.actor.user_id == method.user_id:",
        "if True:",
        f"{WEB}/tests/integration/test_contact_methods.py"
        "::test_only_the_owner_sees_a_whole_address_an_admin_a_masked_one_and_nobody_else_any",
    ),
    Mutation(
        "an admin says that somebody's method is theirs",
        f"{WEB}/src/pagerpal_web/api/contact_methods.py",
        "and (is_personal or call.actor.role is not Role.ADMIN)",
        "and call.actor.role is not Role.ADMIN",
        f"{WEB}/tests/integration/test_contact_methods.py"
        "::test_an_admin_adds_a_method_for_somebody_and_cannot_say_that_it_is_theirs",
    ),
    Mutation(
        "an SMS that is delivered again is done again",
        f"{WEB}/src/pagerpal_web/handlers.py",
        "return None if kept is None or kept.handled_at is not None else (sender, kept)",
        "return None if kept is None else (sender, kept)",
        f"{REPLYING}::test_a_reply_that_is_delivered_again_is_done_once",
    ),
    Mutation(
        "an escalation by SMS that was cut short leaves a second level",
        f"{WEB}/src/pagerpal_web/handlers.py",
        '"expected_level": kept.expected_level',
        '"expected_level": None',
        f"{REPLYING}::test_what_was_cut_short_goes_on_with_the_same_incident_and_level",
    ),
    Mutation(
        "a viewer acknowledges by SMS",
        f"{WEB}/src/pagerpal_web/domain/replies.py",
        "if not active or active[0].role is Role.VIEWER:",
        "if not active:",
        f"{REPLYING}::test_nothing_is_done_for_who_may_not_and_that_is_logged",
    ),
    Mutation(
        "a bare acknowledge guesses between two incidents",
        f"{WEB}/src/pagerpal_web/domain/replies.py",
        "if len(waiting) != 1:",
        "if not waiting:",
        f"{REPLYING}::test_a_bare_acknowledge_is_not_guessed_between_two",
    ),
    Mutation(
        "the number of who answered is in the message",
        f"{INGEST}/src/pagerpal_ingest/domain/replies.py",
        "sender=_masked(self.phone)",
        'sender=self.phone or ""',
        f"{INGEST}/tests/unit/test_replies.py::test_neither_text_nor_number_is_in_the_message_or_in_the_log",
    ),
    Mutation(
        "a preview of a link acknowledges",
        f"{WEB}/src/pagerpal_web/ui/acknowledge.py",
        'Endpoint("GET", "/a/{token}", show_acknowledge',
        'Endpoint("GET", "/a/{token}", acknowledge_by_link',
        f"{WEB}/tests/integration/test_ack_links.py::test_looking_changes_nothing_and_the_button_acknowledges",
    ),
    Mutation(
        "anybody signs links",
        f"{COMMON}/ack_links.py",
        "if any(matches) else []",
        "if keys else []",
        f"{COMMON_TESTS}/unit/test_ack_links.py::test_a_link_of_another_installation_says_nothing",
    ),
    Mutation(
        "a link of before a reopen acknowledges",
        f"{WEB}/src/pagerpal_web/ui/acknowledge.py",
        "if incident.escalation_id == told.escalation_id or",
        "if True or",
        f"{WEB}/tests/integration/test_ack_links.py::"
        "test_a_link_that_does_not_hold_changes_nothing_and_leads_to_the_login",
    ),
)


def main() -> None:
    survivors = []
    with tempfile.TemporaryDirectory(prefix="pagerpal-mutations-") as folder:
        copy = Path(folder) / "tree"
        shutil.copytree(ROOT, copy, ignore=shutil.ignore_patterns(".venv", ".git", ".pagerpal", "__pycache__"))
        for mutation in MUTATIONS:
            is_caught = _is_caught(mutation, copy)
            print(f"{'red     ' if is_caught else 'SURVIVED'}  {mutation.bug}", flush=True)
            survivors += [] if is_caught else [mutation.bug]
    if survivors:
        sys.exit(f"{len(survivors)} of {len(MUTATIONS)} bugs were not noticed")


def _is_caught(mutation: Mutation, copy: Path) -> bool:
    """Plant the bug, run its test, put the file back. The test must pass without the bug for this to mean anything."""
    file = copy / mutation.file
    source = file.read_text(encoding="utf-8")
    if source.count(mutation.old) != 1:
        sys.exit(f"the list is out of date: {mutation.old!r} is not once in {mutation.file}")
    if _run(mutation.test, copy) != 0:
        sys.exit(f"this fails without any bug: {mutation.test}")
    file.write_text(source.replace(mutation.old, mutation.new), encoding="utf-8")
    try:
        return _run(mutation.test, copy) != 0
    finally:
        file.write_text(source, encoding="utf-8")


def _run(test: str, copy: Path) -> int:
    sources = [str(path) for path in (*copy.glob("libs/*/src"), *copy.glob("services/*/src"))]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sources), "PYTHONDONTWRITEBYTECODE": "1"}
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", "--timeout=60", test]
    return subprocess.run(command, cwd=copy, env=environment, capture_output=True, check=False).returncode


if __name__ == "__main__":
    main()
