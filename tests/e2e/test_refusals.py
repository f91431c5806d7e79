"""Who is turned away, and does that harm anybody else?"""

import asyncio
import json

import httpx
import pytest

from tests.e2e.pagerpal import Pagerpal

ALERT = {"title": "Disk full", "severity": "critical"}


@pytest.mark.parametrize(
    ("headers", "query", "status"),
    [
        ({}, "", 401),
        ({"X-API-Key": "pp_" + "x" * 43}, "", 403),
        ({"Authorization": "Bearer pp_" + "x" * 43}, "", 403),
        ({}, "?api_key=wrong", 403),
    ],
)
async def test_a_missing_key_is_401_and_a_wrong_one_403(
    pagerpal: Pagerpal, headers: dict[str, str], query: str, status: int
) -> None:
    answer = await pagerpal.ingest.post(f"/api/v1/alerts{query}", json=ALERT, headers=headers)

    assert answer.status_code == status
    assert "detail" in answer.json()


@pytest.mark.parametrize("place", ["X-API-Key", "X-Alert-Source-Key", "Bearer", "api_key", "token"])
async def test_the_key_is_taken_wherever_the_reference_allows_it(pagerpal: Pagerpal, place: str) -> None:
    team = await pagerpal.given_team(levels=["ana"])
    headers, query = {}, {}
    if place == "Bearer":
        headers = {"Authorization": f"Bearer {team.api_key}"}
    elif place.startswith("X-"):
        headers = {place: team.api_key}
    else:
        query = {place: team.api_key}

    answer = await pagerpal.ingest.post("/api/v1/alerts", json=ALERT, headers=headers, params=query)

    assert answer.status_code == 201
    await pagerpal.expect_sms("ana")


async def test_a_regenerated_key_ends_the_old_one(pagerpal: Pagerpal) -> None:
    team = await pagerpal.given_team(levels=["ana"])

    new = await pagerpal.api.post(f"/api/v1/alert-sources/{team.source_id}/regenerate-key")

    assert new.json()["api_key"] != team.api_key
    old = await pagerpal.send_alert(team)
    assert old.status_code == 403


async def test_a_viewer_reads_but_does_not_act(pagerpal: Pagerpal) -> None:
    team = await pagerpal.given_team(levels=["ana"])
    viewer = await pagerpal.given_person("vi", role="viewer", can_log_in=True)
    incident = await pagerpal.open_incident(team)
    await pagerpal.expect_sms("ana")

    path, auth = f"/api/v1/incidents/{incident['id']}", pagerpal.logged_in_as(viewer)
    read = await pagerpal.api.get(path, auth=auth)
    acted = await pagerpal.api.post(f"{path}/ack", json={"user_id": viewer.user_id}, auth=auth)

    assert (read.status_code, acted.status_code) == (200, 403)
    assert (await pagerpal.incident(incident["id"]))["status"] == "triggered"


async def test_without_an_account_nothing_is_shown(pagerpal: Pagerpal) -> None:
    async with httpx.AsyncClient(base_url=pagerpal.deployment.url, trust_env=False) as stranger:
        answers = [await stranger.get(path) for path in ("/api/v1/incidents", "/api/v1/users", "/api/v1/teams")]

    assert [answer.status_code for answer in answers] == [401, 401, 401]


NASTY = (
    b"",
    b"not json",
    b"[]",
    b"null",
    b'{"title": "x"}',
    b'{"title": "x", "severity": "apocalyptic"}',
    b'{"title": "", "severity": "critical"}',
    b'{"title": "nul \\u0000", "severity": "critical"}',
    b'{"title": "lone \\ud800", "severity": "critical"}',
    b'{"title": "\xff\xfe", "severity": "critical"}',
    b'{"title": "x", "severity": "critical", "team_id": "one"}',
    b'{"title": "x", "severity": "critical", "status": "resolved"}',
    b'{"title": "x", "severity": "critical", "external_id": "' + b"e" * 256 + b'"}',
    b"[" * 100_000,
    b'{"title": "' + b"x" * 300_000 + b'", "severity": "critical"}',
    b'{"title": 1' + b"0" * 5000 + b', "severity": "critical"}',
)


async def test_nasty_bodies_are_refused_and_the_neighbour_is_kept(pagerpal: Pagerpal) -> None:
    team = await pagerpal.given_team(levels=["ana"])
    headers = {"X-API-Key": team.api_key, "Content-Type": "application/json"}

    neighbour, *answers = await asyncio.gather(
        pagerpal.send_alert(team),
        *(pagerpal.ingest.post("/api/v1/alerts", content=body, headers=headers) for body in NASTY),
    )

    assert neighbour.status_code == 201
    assert {answer.status_code // 100 for answer in answers} == {4}
    assert all("detail" in answer.json() for answer in answers)
    await pagerpal.expect_sms("ana")
    await pagerpal.expect_quiet()
    assert len(await pagerpal.incidents_of(team)) == 1


async def test_a_source_may_not_speak_for_another_team(pagerpal: Pagerpal) -> None:
    mine, theirs = await pagerpal.given_team(levels=["ana"]), await pagerpal.given_team(levels=["bo"])

    answers = [
        await pagerpal.send_alert(mine, team_id=theirs.team_id),
        await pagerpal.send_alert(mine, source_id=theirs.source_id),
    ]

    assert [answer.status_code for answer in answers] == [403, 403]


async def test_an_unknown_incident_is_404(pagerpal: Pagerpal) -> None:
    answers = [
        await pagerpal.api.get("/api/v1/incidents/999999"),
        await pagerpal.acknowledge(999999, by="ana"),
        await pagerpal.api.get("/api/v1/incidents/999999/events"),
    ]

    assert [answer.status_code for answer in answers] == [404, 404, 404]
    assert all(json.loads(answer.content)["detail"] for answer in answers)
