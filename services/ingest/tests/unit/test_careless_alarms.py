"""Is what can only be an alarm one, however carelessly it is written, and whatever it leaves out?"""

import json
from typing import Any

import pytest
from pagerpal_common.vocabulary import AlertStatus
from pagerpal_ingest.domain.cloudwatch import ALARMS_LIMIT

from services.ingest.tests.fake_amazon import TOKEN, confirmation, notification
from services.ingest.tests.unit.alarms import ARN, EVENT, METRIC_ALARM, alarm, alert_of, alerts_of

BY_NAME = {"AlarmName": "cpu", "NewStateValue": "ALARM", "NewStateReason": "Hot", "Trigger": {"Threshold": 95.0}}
SAYS_ALARM = json.dumps(BY_NAME)
SUBJECT = 'ALARM: "cpu" in EU (Ireland)'


@pytest.mark.parametrize(
    "message",
    [
        SAYS_ALARM.replace("Hot", "Hot\nvery\x00"),
        SAYS_ALARM.replace("95.0", "9" * 5000),
        SAYS_ALARM.replace("95.0", "NaN"),
        f"[{SAYS_ALARM}]",
        f"[5, {SAYS_ALARM}, {{}}]",
        json.dumps(SAYS_ALARM),
        json.dumps(f" [{SAYS_ALARM}]"),
        json.dumps(json.dumps(SAYS_ALARM)),
        f"\ufeff{SAYS_ALARM}",
        f"Alarm: {SAYS_ALARM}",
        f"Alarm {{prod}} {{}}:\n{SAYS_ALARM}\n-- \nyours",
        f'{{"a": {SAYS_ALARM}',
    ],
)
@pytest.mark.parametrize("field", ["text", "raw"])
def test_an_alarm_is_one_however_carelessly_its_message_is_written(message: str, field: str) -> None:
    """For information, it would have no name by which its end could end it."""
    if field == "raw":
        alert = alert_of(message.encode(), headers={"x-amz-sns-rawdelivery": "true"}, default_severity="warning")
    else:
        alert = alert_of(notification(message), default_severity="warning")

    assert (alert.title, alert.external_id, alert.severity) == ("cpu", "cpu", "warning")
    assert alert.status is AlertStatus.FIRING
    assert alert.description.startswith("Hot")


@pytest.mark.parametrize("state", ["ALARM", "OK"])
@pytest.mark.parametrize(
    "fields", [{}, {"AlarmName": None}, {"AlarmName": "", "AlarmArn": None, "Region": None}, {"AlarmName": "cpu"}]
)
def test_an_alarm_without_a_name_has_the_one_of_its_subject(state: str, fields: dict[str, Any]) -> None:
    message = {"NewStateValue": state, "NewStateReason": "Hot", **fields}

    alert = alert_of(notification(message, Subject=f'{state}: "cpu" in EU (Ireland)'))

    assert (alert.title, alert.external_id, alert.severity) == ("cpu", "cpu", "critical")
    assert alert.status == ("firing" if state == "ALARM" else "resolved")
    assert alert.description == f"Hot\n\nState: {state}"


@pytest.mark.parametrize("message", [{"NewStateValue": "ALARM"}, {**EVENT, "resources": [], "detail": {}}])
@pytest.mark.parametrize("subject", ["Look at this", None, 'ALARM: "" in', 5])
def test_an_alarm_that_nothing_names_wakes_all_the_same(message: dict[str, Any], subject: Any) -> None:
    if "detail" in message:
        message = {**message, "detail": {"state": {"value": "ALARM"}}}

    alert = alert_of(notification(message, Subject=subject))

    assert alert.title == (subject if isinstance(subject, str) else "CloudWatch alarm")
    assert (alert.external_id, alert.severity, alert.status) == (None, "critical", "firing")


@pytest.mark.parametrize("value", [None, "", "MUTED", 5, [], {}])
def test_an_alarm_in_no_known_state_wakes_and_says_so(value: Any) -> None:
    alert = alarm({"NewStateValue": value}, default_severity="warning")

    assert (alert.external_id, alert.severity, alert.status) == (ARN, "warning", "firing")
    said = str(value) if isinstance(value, str | int) and value != "" else "not given"
    assert alert.description.endswith(f"State: OK → {said}, taken as ALARM")


@pytest.mark.parametrize(
    ("subject", "status"),
    [
        ('OK: "cpu" in EU (Ireland)', "resolved"),
        ('OK: "cp..." in EU (Ireland)', "resolved"),
        ('INSUFFICIENT_DATA: "cpu" in EU (Ireland)', "unknown"),
        ('OK: "disk" in EU (Ireland)', "firing"),
        ('OK: "..." in EU (Ireland)', "firing"),
        ("OK", "firing"),
    ],
)
def test_what_its_own_subject_says_of_its_state_counts_where_nothing_else_does(subject: str, status: str) -> None:
    body = notification(json.dumps({**METRIC_ALARM, "NewStateValue": None}), Subject=subject)

    assert alert_of(body).status == status
    assert alert_of(notification(json.dumps(METRIC_ALARM), Subject=subject)).status == "firing"


@pytest.mark.parametrize(("said", "state"), [("ALARM", "firing"), ("OK", "resolved")])
def test_a_subject_may_give_both_the_state_and_the_name(said: str, state: str) -> None:
    alert = alert_of(notification({"NewStateValue": "MUTED", "AlarmName": None}, Subject=f'{said}: "cpu" in EU'))

    assert (alert.external_id, alert.status) == ("cpu", state)


def test_an_event_in_no_known_state_wakes_too() -> None:
    alert = alert_of({**EVENT, "detail": {**EVENT["detail"], "state": {"value": "ALARMING"}}})

    assert (alert.external_id, alert.status, alert.severity) == (ARN, "firing", "critical")
    assert alert.description.endswith("State: OK → ALARMING, taken as ALARM")


@pytest.mark.parametrize("message", ["Too hot", SAYS_ALARM[:-9].replace("{", "[", 1), '{"foo": 1}', "5"])
def test_of_a_message_that_cannot_be_read_its_subject_says_which_alarm_it_is(message: str) -> None:
    alert = alert_of(notification(message, Subject=SUBJECT))

    assert (alert.title, alert.external_id, alert.severity) == ("cpu", "cpu", "critical")
    assert alert.description == f"{message}\n\nState: ALARM"


def test_several_alarms_in_one_message_are_as_many_alerts() -> None:
    listed = [{**BY_NAME, "AlarmName": name} for name in ("cpu", "disk")]
    body = notification(json.dumps([*listed, {"foo": 1}]), Subject=SUBJECT)

    alerts = alerts_of(body, note="late")

    assert [(alert.external_id, alert.note) for alert in alerts] == [("cpu", "late"), ("disk", "late")]
    assert len({alert.alert_id for alert in alerts}) == 2
    assert [alert.alert_id for alert in alerts_of(body)] == [alert.alert_id for alert in alerts]


def test_of_too_many_the_first_are_taken_and_the_rest_is_told() -> None:
    alerts = alerts_of(notification([{**BY_NAME, "AlarmName": str(n)} for n in range(ALARMS_LIMIT + 1)]), note="late")

    assert len(alerts) == ALARMS_LIMIT
    assert alerts[0].note == "late. Its message names 101 alarms, of which the first 100 are taken"


def test_what_could_not_be_read_beside_a_message_is_on_its_timeline() -> None:
    body = {"Records": [{"Sns": notification(BY_NAME)}, {}]}

    assert alert_of(body).note == "1 of the 2 records that came with it could not be read"
    assert alert_of(body, note="late").note == "late. 1 of the 2 records that came with it could not be read"


@pytest.mark.parametrize(
    "body",
    [
        json.dumps(confirmation()),
        json.dumps(confirmation())[:-1],
        json.dumps([confirmation()]),
        json.dumps(json.dumps(confirmation())),
        "Read this: " + json.dumps(json.dumps(confirmation())),
    ],
)
@pytest.mark.parametrize("is_raw", [True, False])
def test_a_subscription_in_somebody_s_words_shows_no_token(body: str, is_raw: bool) -> None:
    alert = (
        alert_of(body.encode(), headers={"x-amz-sns-rawdelivery": "true"})
        if is_raw
        else alert_of(notification(body, Subject=None))
    )

    assert (alert.severity, alert.status) == ("info", "firing")
    assert TOKEN not in alert.model_dump_json()


def test_an_alarm_without_any_time_or_signature_is_a_new_one_each_time() -> None:
    body = {"Type": "Notification", "Message": SAYS_ALARM, "MessageId": "example-message-id"}

    assert alert_of(body).alert_id != alert_of(body).alert_id
    dated = {**body, "Message": json.dumps({**BY_NAME, "StateChangeTime": "2026-05-21T11:58:00.123+0000"})}
    assert alert_of(dated).alert_id == alert_of(dated).alert_id
