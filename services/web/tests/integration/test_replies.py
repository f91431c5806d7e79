"""What people ask for by SMS is done once, in their name, and is in the audit log, as is what is not done."""

from collections.abc import AsyncIterator
from typing import Any, cast
from uuid import UUID

import pytest
from pagerpal_common.bus import Bus, Subscription
from pagerpal_common.contracts.escalations import RequestEscalation
from pagerpal_common.contracts.incidents import AcknowledgeIncident, ResolveIncident
from pagerpal_common.contracts.replies import RepliesReceived, SmsReply
from pagerpal_common.errors import BusUnavailable, Conflict, NotFound
from pagerpal_common.service import Service
from pagerpal_common.testing.clock import Clock
from pagerpal_common.testing.rows import Rows
from pagerpal_web.domain.budget import ROWS
from pagerpal_web.service import build
from structlog.testing import capture_logs

from .conftest import ACCOUNTS, T0, Broker, Web, settings
from .test_incidents import insert_incident

RESPONDER = ACCOUNTS["responder"]
SENDER = "+49…4567"


@pytest.fixture
async def service(database_url: str, web: Web, broker: Broker, clock: Clock) -> AsyncIterator[Service]:
    built = build(settings(database_url), cast(Bus, broker), clock)
    yield built
    await built.close()


def a_reply(command: str | None = "acknowledge", incident_id: int | None = 42, **fields: Any) -> SmsReply:
    given = {"reply_id": UUID(int=1), "user_ids": (RESPONDER,), "sender": SENDER}
    return SmsReply.model_validate({**given, "command": command, "incident_id": incident_id, **fields})


async def hear(service: Service, *replies: SmsReply) -> None:
    (subscription,) = service.subscriptions
    assert isinstance(subscription, Subscription)
    await subscription.handle(RepliesReceived(replies=replies, occurred_at=T0))


async def page(rows: Rows, incident_id: int, user_id: int, *, is_open: bool = True, is_earlier: bool = False) -> None:
    """Somebody was to be paged, in the incident's present run or in one before it."""
    run = 1000 + incident_id
    await rows("UPDATE incidents.incidents SET escalation_id = :run WHERE id = :id", run=run, id=incident_id)
    await rows(
        "INSERT INTO incidents.page_requests "
        "(incident_id, escalation_id, pass_number, level, reminder, user_id, reason, requested_at, is_open) "
        "VALUES (:incident, :run, 1, 1, 0, :user, '[]', :at, :is_open)",
        incident=incident_id,
        run=run - 500 if is_earlier else run,
        user=user_id,
        at=T0,
        is_open=is_open,
    )


async def lines(web: Web) -> list[tuple[str, int | None, int | None, dict[str, Any]]]:
    """What the audit log says of replies: what, by whom, to which incident, and more."""
    events = [event for event in await web.audit() if event["action"].startswith("sms_reply")]
    return [(event["action"], event["actor_user_id"], event["target_id"], event["data"]) for event in reversed(events)]


@pytest.mark.parametrize(
    ("command", "asks"), [("acknowledge", AcknowledgeIncident), ("resolve", ResolveIncident)], ids=str
)
async def test_a_command_is_done_in_the_sender_s_name_and_logged(
    command: str, asks: type, service: Service, broker: Broker, web: Web
) -> None:
    await hear(service, a_reply(command))

    ((asked, _),) = broker.asked
    assert isinstance(asked, asks)
    assert isinstance(asked, AcknowledgeIncident | ResolveIncident)
    assert (asked.incident_id, asked.actor_user_id, asked.acting_as_user_id) == (42, RESPONDER, RESPONDER)
    data = {"by": "sms", "sender": SENDER, "command": command}
    assert await lines(web) == [("sms_reply", RESPONDER, 42, data)]


@pytest.mark.parametrize("account", ["admin", "responder"])
async def test_admins_and_responders_may(account: str, service: Service, broker: Broker) -> None:
    await hear(service, a_reply(user_ids=(ACCOUNTS[account],)))

    assert len(broker.asked) == 1


@pytest.mark.parametrize(
    ("user_ids", "reason"),
    [
        ((), "unknown_sender"),
        ((999,), "unknown_sender"),
        ((ACCOUNTS["viewer"],), "not_allowed"),
        ((ACCOUNTS["deactivated"],), "not_allowed"),
        ((ACCOUNTS["admin"], ACCOUNTS["responder"]), "shared_number"),
        ((ACCOUNTS["viewer"], ACCOUNTS["responder"]), "shared_number"),
    ],
)
async def test_nothing_is_done_for_who_may_not_and_that_is_logged(
    user_ids: tuple[int, ...], reason: str, service: Service, broker: Broker, web: Web
) -> None:
    await hear(service, a_reply(user_ids=user_ids))

    assert broker.asked == []
    data = {"by": "sms", "sender": SENDER, "command": "acknowledge", "reason": reason}
    assert await lines(web) == [("sms_reply_ignored", None, 42, data)]


async def test_a_number_that_somebody_gave_up_is_its_new_owner_s(service: Service, broker: Broker) -> None:
    await hear(service, a_reply(user_ids=(ACCOUNTS["deactivated"], RESPONDER)))

    ((asked, _),) = broker.asked
    assert isinstance(asked, AcknowledgeIncident)
    assert asked.actor_user_id == RESPONDER


@pytest.mark.parametrize(
    ("command", "reason"),
    [
        (None, "not_understood"),
        ("acknowledge", "nothing_open"),
        ("resolve", "no_incident_named"),
        ("escalate", "no_incident_named"),
    ],
)
async def test_what_cannot_be_told_is_not_guessed(
    command: str | None, reason: str, service: Service, broker: Broker, web: Web
) -> None:
    await hear(service, a_reply(command, None))

    assert broker.asked == []
    assert await lines(web) == [
        ("sms_reply_ignored", RESPONDER, None, {"by": "sms", "sender": SENDER, "command": command, "reason": reason})
    ]


async def test_a_bare_acknowledge_means_the_one_incident_that_waits_for_the_sender(
    service: Service, broker: Broker, rows: Rows
) -> None:
    mine = await insert_incident(rows, external_id="mine")
    await page(rows, mine, RESPONDER)
    await page(rows, await insert_incident(rows, external_id="another's"), ACCOUNTS["admin"])
    await page(rows, await insert_incident(rows, external_id="earlier"), RESPONDER, is_earlier=True)
    await page(rows, await insert_incident(rows, external_id="closed"), RESPONDER, is_open=False)
    await page(rows, await insert_incident(rows, external_id="taken", status="acknowledged"), RESPONDER)

    await hear(service, a_reply(incident_id=None))

    ((asked, _),) = broker.asked
    assert isinstance(asked, AcknowledgeIncident)
    assert asked.incident_id == mine


async def test_a_bare_acknowledge_is_not_guessed_between_two(
    service: Service, broker: Broker, rows: Rows, web: Web
) -> None:
    for name in ("one", "other"):
        await page(rows, await insert_incident(rows, external_id=name), RESPONDER)

    await hear(service, a_reply(incident_id=None))

    assert broker.asked == []
    assert [data["reason"] for *_, data in await lines(web)] == ["several_open"]


async def test_an_escalation_leaves_the_level_that_the_incident_was_at(
    service: Service, broker: Broker, rows: Rows
) -> None:
    incident_id = await insert_incident(rows, current_escalation_level=2)

    await hear(service, a_reply("escalate", incident_id))

    ((asked, _),) = broker.asked
    assert isinstance(asked, RequestEscalation)
    assert (asked.expected_level, asked.occurred_at, asked.actor_user_id) == (2, T0, RESPONDER)


@pytest.mark.parametrize("command", ["acknowledge", "resolve", "escalate"])
async def test_a_reply_that_is_delivered_again_is_done_once(
    command: str, service: Service, broker: Broker, web: Web
) -> None:
    await hear(service, a_reply(command))
    await hear(service, a_reply(command), a_reply(command))

    assert len(broker.asked) == 1
    assert len(await lines(web)) == 1


async def test_what_was_cut_short_goes_on_with_the_same_incident_and_level(
    service: Service, broker: Broker, rows: Rows, clock: Clock
) -> None:
    incident_id = await insert_incident(rows, current_escalation_level=1)
    works, broker.answer = broker.answer, BusUnavailable("not confirmed")
    with pytest.raises(BusUnavailable):
        await hear(service, a_reply("escalate", incident_id))
    await rows("UPDATE incidents.incidents SET current_escalation_level = 2")
    broker.answer = works
    clock.advance(minutes=5)

    await hear(service, a_reply("escalate", incident_id))

    first, second = (asked for asked, _ in broker.asked)
    assert isinstance(first, RequestEscalation)
    assert isinstance(second, RequestEscalation)
    assert first.expected_level == second.expected_level == 1
    assert first.occurred_at == second.occurred_at


async def test_a_bare_acknowledge_that_was_cut_short_still_means_the_same_incident(
    service: Service, broker: Broker, rows: Rows
) -> None:
    first = await insert_incident(rows, external_id="first")
    await page(rows, first, RESPONDER)
    works, broker.answer = broker.answer, BusUnavailable("not confirmed")
    with pytest.raises(BusUnavailable):
        await hear(service, a_reply(incident_id=None))
    broker.answer = works
    await page(rows, await insert_incident(rows, external_id="second"), RESPONDER)

    await hear(service, a_reply(incident_id=None))

    assert [cast(AcknowledgeIncident, asked).incident_id for asked, _ in broker.asked] == [first, first]


async def test_one_that_fails_does_not_do_those_before_it_again(service: Service, broker: Broker) -> None:
    done, waits = a_reply(incident_id=1), a_reply(incident_id=2, reply_id=UUID(int=2))
    await hear(service, done)
    broker.answer = BusUnavailable("not confirmed")
    for _ in range(2):
        with pytest.raises(BusUnavailable):
            await hear(service, done, waits)

    assert [cast(AcknowledgeIncident, asked).incident_id for asked, _ in broker.asked] == [1, 2, 2]


@pytest.mark.parametrize("refusal", [NotFound("there is no incident 42"), Conflict("it has moved on")], ids=str)
async def test_what_incidents_refuses_is_over_and_logged_with_its_reason(
    refusal: NotFound | Conflict, service: Service, broker: Broker, web: Web
) -> None:
    broker.answer = refusal

    for _ in range(2):
        await hear(service, a_reply())

    assert len(broker.asked) == 1
    ((action, who, incident_id, data),) = await lines(web)
    assert (action, who, incident_id) == ("sms_reply_ignored", RESPONDER, 42)
    assert (data["reason"], data["why"]) == ("refused", refusal.detail)


async def test_strangers_do_not_fill_the_audit_log(service: Service, rows: Rows, web: Web, clock: Clock) -> None:
    strangers = [a_reply(user_ids=(), reply_id=UUID(int=number)) for number in range(ROWS + 3)]
    with capture_logs() as logged:
        await hear(service, *strangers)
    assert len(await lines(web)) == ROWS
    assert len([entry for entry in logged if entry["event"] == "reply.ignored"]) == ROWS + 3

    clock.advance(seconds=1)
    await hear(service, a_reply(user_ids=(), reply_id=UUID(int=1000)))

    assert (await lines(web))[-1][-1]["skipped"] == 3


async def test_what_is_old_is_let_go_of(service: Service, rows: Rows, clock: Clock) -> None:
    await hear(service, a_reply())
    clock.advance(days=7, seconds=1)
    await hear(service, a_reply(reply_id=UUID(int=2)))

    kept = await rows("SELECT reply_id FROM directory.sms_replies")
    assert [row["reply_id"] for row in kept] == [UUID(int=2)]
