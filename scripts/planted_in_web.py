"""Bugs in web, and in what it does."""

from planted import REPLYING, WEB, Mutation

IN_WEB = (
    Mutation(
        "a provider in trouble is nobody's business",
        f"{WEB}/src/pagerpal_web/standing.py",
        "in_trouble(await list_troubles(tx), at)",
        "[]",
        f"{WEB}/tests/integration/test_system.py::test_a_provider_in_trouble_is_named_with_what_waits_for_it",
    ),
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
        "if call.actor.user_id == method.user_id and method.channel is not Channel.WEB_PUSH:",
        "if method.channel is not Channel.WEB_PUSH:",
        f"{WEB}/tests/integration/test_contact_methods.py"
        "::test_only_the_owner_sees_a_whole_address_an_admin_a_masked_one_and_nobody_else_any",
    ),
    Mutation(
        "a browser's subscription is shown",
        f"{WEB}/src/pagerpal_web/api/contact_methods.py",
        "if call.actor.user_id == method.user_id and method.channel is not Channel.WEB_PUSH:",
        "if call.actor.user_id == method.user_id:",
        f"{WEB}/tests/integration/test_devices.py::test_nobody_is_shown_anything_of_a_subscription_not_even_its_owner",
    ),
    Mutation(
        "a browser that has ended counts as verified",
        f"{WEB}/src/pagerpal_web/storage/contact_methods.py",
        "and_(_PROVEN_AT.is_not(None), _ENDED_AT.is_(None))",
        "and_(_PROVEN_AT.is_not(None))",
        f"{WEB}/tests/integration/test_devices.py"
        "::test_a_subscription_that_has_ended_is_told_and_proves_nothing_until_there_is_another",
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
        "a preview of a link acknowledges",
        f"{WEB}/src/pagerpal_web/ui/acknowledge.py",
        'Endpoint("GET", "/a/{token}", show_acknowledge',
        'Endpoint("GET", "/a/{token}", acknowledge_by_link',
        f"{WEB}/tests/integration/test_ack_links.py::test_looking_changes_nothing_and_the_button_acknowledges",
    ),
    Mutation(
        "a link of before a reopen acknowledges",
        f"{WEB}/src/pagerpal_web/ui/acknowledge.py",
        "if incident.escalation_id == told.escalation_id or",
        "if True or",
        f"{WEB}/tests/integration/test_ack_links.py::"
        "test_a_link_that_does_not_hold_changes_nothing_and_leads_to_the_login",
    ),
    Mutation(
        "simulate asks once who is on call",
        "services/web/src/pagerpal_web/api/simulate.py",
        "facts = await facts_at(policy, at)",
        "facts = await facts_at(policy, entered[0].at if entered else at)",
        "tests/unit/test_simulate_is_live.py::test_simulate_says_what_the_escalator_does",
    ),
    Mutation(
        "a job is judged by its freshest loop",
        "services/web/src/pagerpal_web/domain/jobs.py",
        "*(problem for loop in loops for problem in",
        "*(problem for loop in loops[:1] for problem in",
        "services/web/tests/unit/test_jobs.py::test_the_stalest_loop_decides",
    ),
    Mutation(
        "a page found from the end is off by one",
        "services/web/src/pagerpal_web/storage/incident_list.py",
        "from_the_end = total - offset - size",
        "from_the_end = total - offset - limit",
        "services/web/tests/integration/test_incident_list.py::"
        "test_any_filters_and_any_page_are_what_a_naive_reading_gives",
    ),
)
