"""Bugs in how alerts are taken in, and in what their senders are believed."""

from planted import INGEST, WEB, Mutation

ODD_BODIES = f"{INGEST}/tests/unit/test_bodies_of_ones_own.py"

IN_INGEST = (
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
        "every alert has the status of its group",
        f"{INGEST}/src/pagerpal_ingest/domain/alert_group.py",
        "status = _own_status(entry) or",
        "status = group.status or",
        f"{INGEST}/tests/unit/test_alert_group.py::test_one_resolved_alert_in_a_group_that_fires_is_resolved",
    ),
    Mutation(
        "a rule that has labels and annotations is known by its labels alone",
        f"{INGEST}/src/pagerpal_ingest/domain/webhook.py",
        "    if any(line(said.get(field)) for field in SETS_APART):\n        return False\n",
        "",
        f"{ODD_BODIES}::test_a_rule_that_has_labels_and_annotations_is_still_itself",
    ),
    Mutation(
        "an alert of a group that is normal again by its state fires for ever",
        f"{INGEST}/src/pagerpal_ingest/domain/alert_group.py",
        'return status_of(entry.get("status"), entry.get("state"))',
        'return status_of(entry.get("status"))',
        f"{ODD_BODIES}::test_an_alert_of_a_group_may_say_state_for_status",
    ),
    Mutation(
        "a firing is refused for a list of which nothing can be made out",
        f"{INGEST}/src/pagerpal_ingest/domain/webhook.py",
        "if is_group and not delivery.alerts:",
        "if not is_group and not delivery.alerts:",
        f"{ODD_BODIES}::test_a_firing_that_is_stated_wakes_whatever_else_can_be_read",
    ),
    Mutation(
        "a firing that is stated is refused for want of a name",
        f"{INGEST}/src/pagerpal_ingest/domain/lone_alert.py",
        "    if name is None and stated:\n        name = nameless.identity(nameless.texts_in(body))\n",
        "",
        f"{ODD_BODIES}::test_a_firing_that_is_stated_wakes_whatever_else_can_be_read",
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
        "the number of who answered is in the message",
        f"{INGEST}/src/pagerpal_ingest/domain/replies.py",
        "sender=_masked(self.phone)",
        'sender=self.phone or ""',
        f"{INGEST}/tests/unit/test_replies.py::test_neither_text_nor_number_is_in_the_message_or_in_the_log",
    ),
    Mutation(
        "what is refused before it is read is counted for nobody",
        f"{INGEST}/src/pagerpal_ingest/reception.py",
        "    with ctx.admission.request_of(source):\n"
        "        return await understand(ctx, request, source, await read_body(request, limit), parse)\n",
        "    body = await read_body(request, limit)\n"
        "    with ctx.admission.request_of(source):\n"
        "        return await understand(ctx, request, source, body, parse)\n",
        f"{INGEST}/tests/integration/test_source_health.py::test_every_refusal_of_a_known_source_is_counted_once",
    ),
    Mutation(
        "what is masked as it was sent goes to phones in the clear",
        f"{INGEST}/src/pagerpal_ingest/raw.py",
        "            return masked(reading, self.secrets)\n",
        "            return reading\n",
        f"{INGEST}/tests/integration/test_raw.py::test_what_is_masked_as_it_was_sent_is_masked_in_the_incident_too",
    ),
    Mutation(
        "the external id is masked, and so another one",
        f"{INGEST}/src/pagerpal_ingest/domain/masked.py",
        '        "title": cut',
        '        "external_id": _shown(alert.external_id or "", known),\n        "title": cut',
        f"{INGEST}/tests/unit/test_masked.py::test_the_external_id_is_what_it_was",
    ),
    Mutation(
        "a title that shows nothing is a title",
        f"{INGEST}/src/pagerpal_ingest/domain/texts.py",
        'return text if _VISIBLE.search(text) else ""',
        "return text",
        f"{INGEST}/tests/unit/test_texts.py::test_a_line_that_shows_nothing_is_none",
    ),
    Mutation(
        "a source may be changed to route to a team that is not there",
        f"{WEB}/src/pagerpal_web/api/sources.py",
        '        await check_teams(tx, changes(call).get("config"))\n',
        "",
        f"{WEB}/tests/integration/test_source_teams.py::test_a_source_routes_to_no_team_that_is_not_there",
    ),
    Mutation(
        "nobody hears of the alerts of a group that could not be made out",
        f"{INGEST}/src/pagerpal_ingest/webhooks.py",
        "    ctx.admission.note_unreadable(source, delivery.readings)",
        "    pass",
        f"{INGEST}/tests/integration/test_source_health.py::"
        "test_alerts_refused_in_a_group_that_is_taken_are_counted_and_logged_without_what_they_say",
    ),
    Mutation(
        "the topic of an SNS message that strict JSON refuses is not compared with the source's",
        f"{INGEST}/src/pagerpal_ingest/domain/sns.py",
        "        parsed = value_in(text)\n    except ValueError:\n        return None\n",
        "        parsed = json.loads(text)\n    except ValueError:\n        parsed = {text: None}\n",
        f"{INGEST}/tests/integration/test_receive_sns.py::test_the_topic_of_a_carelessly_written_message_counts_too",
    ),
    Mutation(
        "an SNS message that cannot be read is shown to everybody, with its token",
        f"{INGEST}/src/pagerpal_ingest/domain/sns.py",
        "    if is_like_an_envelope(text):\n",
        "    if not text:\n",
        f"{INGEST}/tests/integration/test_receive_sns.py"
        "::test_a_message_that_cannot_be_read_is_refused_and_counted_and_none_of_it_is_kept",
    ),
    Mutation(
        "a MessageId written by hand swallows all later alarms",
        f"{INGEST}/src/pagerpal_ingest/domain/sns.py",
        "    if message.is_signed or is_dated:\n",
        "    if message.is_signed or is_dated or is_named:\n",
        "tests/e2e/test_cloudwatch.py::test_the_reference_s_example_opens_an_incident_each_time_that_it_is_tried",
    ),
    Mutation(
        "one record that cannot be read costs the alarms beside it",
        f"{INGEST}/src/pagerpal_ingest/domain/sns.py",
        "    messages = tuple(_record(envelope, number) for number, envelope in read_ones or found)\n",
        "    messages = tuple(_record(envelope, number) for number, envelope in found)\n",
        f"{INGEST}/tests/integration/test_receive_sns.py"
        "::test_a_record_that_cannot_be_read_does_not_cost_the_alarm_beside_it",
    ),
)
