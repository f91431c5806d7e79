"""Bugs in how the notifier treats its providers, and in what they are believed."""

from planted import GATES, INGEST, KILLING, NOTIFIER, RATIONS, WATCHING, Mutation

SOURCE = f"{NOTIFIER}/src/pagerpal_notifier"

IN_SENDING = (
    Mutation(
        "a try in doubt is repeated with a new message id",
        f"{SOURCE}/storage/notifications.py",
        "CASE WHEN n.status = 'sending' AND n.address = l.address THEN n.provider_message_id",
        "CASE WHEN n.status = 'no' AND n.address = l.address THEN n.provider_message_id",
        KILLING,
    ),
    Mutation(
        "an outage eats the tries of a page",
        f"{SOURCE}/storage/circuits.py",
        "SET attempts_before = n.attempts_before + 1",
        "SET attempts_before = n.attempts_before",
        f"{GATES}::test_an_outage_spends_no_tries",
    ),
    Mutation(
        "whoever waits for a provider in trouble is reached no other way",
        f"{SOURCE}/gates.py",
        "around = await go_around(tx, held, shut, AROUND, now=now)",
        "around = 0",
        f"{GATES}::test_whoever_waits_for_it_has_their_mail_at_once",
    ),
    Mutation(
        "what is held back counts as a way to its person",
        f"{SOURCE}/storage/notifications.py",
        "(other.status NOT IN ('failed', 'exhausted') AND other.held_by IS NULL AND other.unheard_at IS NULL)",
        "(other.status NOT IN ('failed', 'exhausted') AND other.unheard_at IS NULL)",
        f"{GATES}::test_a_way_that_fails_is_not_made_up_for_by_what_is_held_back",
    ),
    Mutation(
        "a recovery lets nothing go",
        f"{SOURCE}/breaker.py",
        "released = await release(tx, name, now=now) if closes else 0",
        "released = 0",
        f"{GATES}::test_opening_and_closing_are_told_without_an_address",
    ),
    Mutation(
        "all that is due goes out as the probe",
        f"{SOURCE}/gates.py",
        "return Gate([Part(1, ",
        "return Gate([Part(room, ",
        f"{GATES}::test_an_hour_without_the_provider_costs_one_probe_at_a_time_and_no_page",
    ),
    Mutation(
        "a probe that is out is let go with the rest",
        f"{SOURCE}/storage/notifications.py",
        "due_at = :deadline, held_by = NULL,",
        "due_at = :deadline,",
        f"{GATES}::test_what_is_out_as_the_probe_does_not_wait_for_the_circuit_any_more",
    ),
    Mutation(
        "a prober that has died is waited for",
        f"{SOURCE}/domain/circuit.py",
        "probe_at=now + DEADLINE)",
        "probe_at=None)",
        f"{GATES}::test_a_prober_that_dies_leaves_the_next_probe_to_another",
    ),
    Mutation(
        "what was given to a provider is not taken off its ration",
        f"{SOURCE}/storage/rations.py",
        "SET tokens = r.tokens - spent.number",
        "SET tokens = r.tokens",
        f"{RATIONS}::test_four_notifiers_together_give_a_provider_its_rate_and_no_more",
    ),
    Mutation(
        "one provider's ration holds up another",
        f"{SOURCE}/gates.py",
        "if len(shut) < len(ctx.providers):",
        "if not shut:",
        f"{RATIONS}::test_one_that_has_had_its_ration_holds_up_no_other",
    ),
    Mutation(
        "a handset that is not heard of keeps its person waiting",
        f"{SOURCE}/polling.py",
        "await go_on(tx, late[number], now=now)",
        "pass",
        f"{WATCHING}::test_a_handset_that_is_not_heard_of_in_time_makes_the_next_contact_due_at_once",
    ),
    Mutation(
        "a phone that is not heard of counts as a way to its person",
        f"{SOURCE}/storage/watching.py",
        "SET watch_at = NULL, unheard_at = :now, error = :error",
        "SET watch_at = NULL, unheard_at = CASE WHEN false THEN CAST(:now AS timestamptz) END, error = :error",
        f"{WATCHING}::test_when_no_phone_is_heard_of_it_is_the_mail",
    ),
    Mutation(
        "several notifiers ask for the same message",
        f"{SOURCE}/storage/watching.py",
        "+ CAST(CAST(:again AS jsonb) ->> n.channel AS float8) * CAST('1 second' AS interval)",
        "+ 0 * CAST(CAST(:again AS jsonb) ->> n.channel AS float8) * CAST('1 second' AS interval)",
        f"{WATCHING}::test_what_a_notifier_dies_with_is_asked_by_the_next",
    ),
    Mutation(
        "a number that nobody has proven acknowledges",
        f"{INGEST}/src/pagerpal_ingest/storage.py",
        "JOIN directory.contact_proofs p ON p.user_id = m.user_id AND p.method_id = m.id AND p.address = m.address",
        "LEFT JOIN directory.contact_proofs p ON p.method_id = m.id",
        f"{INGEST}/tests/integration/test_replies.py::test_a_contact_method_speaks_for_its_owner_once_it_is_proven",
    ),
)
