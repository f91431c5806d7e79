"""Whoever is paged can answer from the telephone: by SMS, or with one tap on a link of their own."""

from typing import Any

import httpx
from pagerpal_common.ack_links import ack_key, ack_link

from tests.e2e.pagerpal import Json, Pagerpal, hours


async def until_status(pagerpal: Pagerpal, incident: Json, status: str) -> Json:
    async def so() -> Json:
        found = await pagerpal.incident(incident["id"])
        return found if found["status"] == status else None

    return await pagerpal.until(f"incident {incident['id']} is {status}", so)


async def until_audited(pagerpal: Pagerpal, **wanted: Any) -> Json:
    """Wait for the newest line of the audit log about a reply to be this one."""

    async def so() -> Json:
        for action in ("sms_reply", "sms_reply_ignored"):
            newest = (await pagerpal.get(f"/api/v1/audit?action={action}&limit=1"))[:1]
            if newest and wanted.items() <= {**newest[0], **newest[0]["data"]}.items():
                return newest[0]
        return None

    return await pagerpal.until(f"the audit log says {wanted}", so)


async def test_an_sms_acknowledges_in_the_name_of_whose_telephone_it_came_from(pagerpal: Pagerpal) -> None:
    team = await pagerpal.given_team(levels=[["ana", "bo"]], timeout=hours(1))
    incident = await pagerpal.open_incident(team)
    await pagerpal.expect_sms("ana", containing=f"#{incident['id']}")
    await pagerpal.expect_sms("bo")

    await pagerpal.answer_by_sms("bo", f"Ack {incident['id']}.")

    acknowledged = await until_status(pagerpal, incident, "acknowledged")
    assert acknowledged["acknowledged_by"] == pagerpal.people["bo"].user_id
    line = await until_audited(pagerpal, action="sms_reply", target_id=incident["id"], command="acknowledge")
    assert line["actor_name"] == "bo"
    assert pagerpal.people["bo"].phone not in str(line)

    await pagerpal.answer_by_sms("ana", f"a {incident['id']}")
    await until_audited(pagerpal, action="sms_reply", actor_user_id=pagerpal.people["ana"].user_id)
    assert (await pagerpal.incident(incident["id"]))["acknowledged_by"] == pagerpal.people["bo"].user_id

    await pagerpal.answer_by_sms("ana", f"resolve {incident['id']}")
    resolved = await until_status(pagerpal, incident, "resolved")
    assert resolved["resolved_by"] == pagerpal.people["ana"].user_id
    pagerpal.allow_calls("ana", "bo")
    await pagerpal.expect_quiet()


async def test_a_bare_a_is_enough_for_the_one_incident_that_waits(pagerpal: Pagerpal) -> None:
    team = await pagerpal.given_team(levels=["ana"], timeout=hours(1))
    other_team = await pagerpal.given_team(levels=["bo"], timeout=hours(1))
    incident = await pagerpal.open_incident(team)
    await pagerpal.open_incident(other_team)
    await pagerpal.expect_sms("ana")
    await pagerpal.expect_sms("bo")

    await pagerpal.answer_by_sms("ana", "a")

    await until_status(pagerpal, incident, "acknowledged")
    await pagerpal.answer_by_sms("ana", "a")
    await until_audited(pagerpal, action="sms_reply_ignored", reason="nothing_open")
    pagerpal.allow_calls("ana", "bo")


async def test_an_escalation_that_is_delivered_twice_leaves_one_level(pagerpal: Pagerpal) -> None:
    team = await pagerpal.given_team(levels=["ana", "bo", "cy"], timeout=hours(1))
    incident = await pagerpal.open_incident(team)
    await pagerpal.expect_sms("ana")

    first = await pagerpal.answer_by_sms("ana", f"e {incident['id']}")
    await pagerpal.until_level(incident["id"], 2)
    await pagerpal.answer_by_sms("ana", f"e {incident['id']}", message_id=first)

    await pagerpal.expect_sms("bo")
    pagerpal.allow_calls("ana", "bo")
    await pagerpal.expect_quiet()
    assert (await pagerpal.incident(incident["id"]))["current_escalation_level"] == 2


async def test_nobody_else_can_answer(pagerpal: Pagerpal) -> None:
    team = await pagerpal.given_team(levels=["ana"], timeout=hours(1))
    await pagerpal.given_person("viv", role="viewer")
    incident = await pagerpal.open_incident(team)
    await pagerpal.expect_sms("ana")
    stranger = {"messageId": "1", "from": "4915100000000", "to": "44", "text": f"ack {incident['id']}"}
    pagerpal.deployment.canaries.plant("phone number", "+4915100000000")

    assert (await pagerpal.deployment.infobip.pass_on(pagerpal.deployment.url, stranger)).status_code == 200
    await until_audited(pagerpal, action="sms_reply_ignored", reason="unknown_sender", sender="+49…0000")
    await pagerpal.answer_by_sms("viv", f"ack {incident['id']}")
    await until_audited(pagerpal, action="sms_reply_ignored", reason="not_allowed")
    await pagerpal.answer_by_sms("ana", f"please ack {incident['id']}")
    await until_audited(pagerpal, action="sms_reply_ignored", reason="not_understood")

    assert (await pagerpal.incident(incident["id"]))["status"] == "triggered"
    pagerpal.allow_calls("ana")


async def test_one_tap_acknowledges_and_a_preview_does_not(pagerpal: Pagerpal) -> None:
    team = await pagerpal.given_team(levels=["ana"], timeout=hours(1))
    incident = await pagerpal.open_incident(team, title="Disk full on db-7")
    await pagerpal.expect_sms("ana")
    deployment, ana = pagerpal.deployment, pagerpal.people["ana"]
    key = ack_key((deployment.directory / "data" / "secret-key").read_bytes().strip())
    url = ack_link(deployment.url, key, incident["id"], ana.user_id, incident["escalation_id"], deployment.clock.now())
    deployment.canaries.plant("one-tap link", url.rpartition("/")[2])

    async with httpx.AsyncClient(trust_env=False, timeout=15) as phone:
        preview = await phone.get(url)
        await phone.head(url)

        assert preview.status_code == 200
        assert "Disk full on db-7" in preview.text
        assert "Acknowledge as ana" in preview.text
        assert (await pagerpal.incident(incident["id"]))["status"] == "triggered"

        tapped = await phone.post(url, headers={"Origin": "null", "Sec-Fetch-Site": "same-origin"})

    assert tapped.status_code == 200
    assert "Acknowledged by you, ana" in tapped.text
    acknowledged = await pagerpal.incident(incident["id"])
    assert (acknowledged["status"], acknowledged["acknowledged_by"]) == ("acknowledged", ana.user_id)
    pagerpal.allow_calls("ana")
    await pagerpal.expect_quiet()
