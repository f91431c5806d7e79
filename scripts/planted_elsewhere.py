"""Bugs in what all services share, and in who is escalated to."""

from planted import COMMON, COMMON_TESTS, Mutation

ELSEWHERE = (
    Mutation(
        "a service that is being loaded does not stop",
        f"{COMMON}/stopping.py",
        "signal.signal(number, lambda *_: os._exit(0))",
        "pass",
        "tests/unit/test_told_to_stop.py",
    ),
    Mutation(
        "a detour to our own network is public",
        f"{COMMON}/public_internet.py",
        "and not _is_detour(ip)",
        "",
        f"{COMMON_TESTS}/unit/test_public_internet.py",
    ),
    Mutation(
        "the outbox relay does not wait for the bus",
        f"{COMMON}/outbox.py",
        "await bus.publish(",
        "bus.publish(",
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
        "a click that is handled twice enters two levels",
        "services/escalator/src/pagerpal_escalator/handlers.py",
        "if level and timedelta(0) <= since <= SAME_CLICK:",
        "if False:",
        "services/escalator/tests/integration/test_manual_escalation.py::"
        "test_a_request_handled_again_after_its_answer_was_lost_enters_no_further_level",
    ),
    Mutation(
        "a replica whose loop fails writes over what a working one has written",
        f"{COMMON}/heartbeat.py",
        "return None if ends.last_run_at == written.last_run_at else ends.last_run_at",
        "return ends.last_run_at",
        f"{COMMON_TESTS}/integration/test_heartbeat.py::test_of_two_replicas_the_one_that_works_counts",
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
        "rules that lead nowhere leave somebody asleep",
        f"{COMMON}/notification_rules.py",
        "if all(one.problem for one in planned):",
        "if not planned:",
        f"{COMMON_TESTS}/unit/test_notification_rules.py::test_when_no_rule_leads_anywhere_the_defaults_go_at_once",
    ),
    Mutation(
        "anybody signs links",
        f"{COMMON}/ack_links.py",
        "if any(matches) else []",
        "if keys else []",
        f"{COMMON_TESTS}/unit/test_ack_links.py::test_a_link_of_another_installation_says_nothing",
    ),
)
