"""Whose turn is it to be woken?"""

from datetime import datetime, timedelta

from tests.e2e.pagerpal import Pagerpal, Rota, Shift, Turns, hours, minutes

KATHMANDU = "Asia/Kathmandu"
"""Five hours and three quarters ahead of UTC, whatever the season."""


async def test_a_rotation_pages_whose_turn_it_is_around_a_handoff_and_an_override(pagerpal: Pagerpal) -> None:
    override = Shift("cy", minutes(30), minutes(60), is_override=True)
    turns = Turns(["ana", "bo"], KATHMANDU, kind="daily", next_handoff=hours(2))
    team = await pagerpal.given_team(levels=[Rota([override], turns)])
    begin = pagerpal.deployment.clock.now()
    moments = {minutes(0): "ana", minutes(40): "cy", minutes(80): "ana", minutes(130): "bo"}

    async def predicted(at: datetime) -> tuple[str, str]:
        """Whom simulate and the schedule name for that instant."""
        run = await pagerpal.api.post("/api/v1/simulate", json={"source_id": team.source_id, "at": at.isoformat()})
        on_call = await pagerpal.api.get(f"/api/v1/teams/{team.team_id}/oncall", params={"at": at.isoformat()})
        return run.json()["steps"][0]["people"][0]["user_name"], on_call.json()["oncall"][0]["user_name"]

    assert [await predicted(begin + passed) for passed in moments] == [(name, name) for name in moments.values()]

    reasons = []
    before = timedelta(0)
    for passed, name in moments.items():
        await pagerpal.advance(passed - before)
        before = passed
        incident = await pagerpal.open_incident(team, external_id=f"disk-{name}-{passed}")
        await pagerpal.expect_sms(name)
        await pagerpal.expect_quiet()
        assert incident["assigned_user_id"] == pagerpal.people[name].user_id
        (sms,) = [log for log in await pagerpal.logs(incident["id"]) if log["channel"] == "sms"]
        reasons.append(sms["reason"][1].rpartition(" by ")[2].split()[0])
        await pagerpal.resolve(incident["id"], by=name)
    assert reasons == ["rotation", "override", "rotation", "rotation"]


async def test_what_simulate_says_is_what_happens_though_the_turn_ends_on_the_way(pagerpal: Pagerpal) -> None:
    turns = Turns(["ana", "bo", "cy"], KATHMANDU, kind="hourly", next_handoff=minutes(4))
    team = await pagerpal.given_team(levels=[Rota([], turns), "dan"], timeout=minutes(5), repeat=1)
    run = (await pagerpal.api.post("/api/v1/simulate", json={"team_id": team.team_id})).json()
    started = datetime.fromisoformat(run["at"])

    incident = await pagerpal.open_incident(team)
    for name in ("ana", "dan", "bo", "dan"):
        await pagerpal.expect_sms(name)
        await pagerpal.advance(minutes(3))
        await pagerpal.expect_call(name)
        await pagerpal.advance(minutes(2))

    planned = [step for step in run["steps"] if not step["people"][0]["reason"][-1].startswith("reminder")]
    told = [log for log in await pagerpal.logs(incident["id"]) if log["channel"] == "sms"]
    assert [(log["user_id"], log["pass"], log["level"], log["reason"][:-1]) for log in told] == [
        (person["user_id"], step["pass"], step["level"], person["reason"])
        for step in planned
        for person in step["people"]
    ]
    assert [datetime.fromisoformat(step["at"]) - started for step in planned] == [minutes(5 * n) for n in range(4)]
    assert {step["hole"] for step in run["steps"]} == {None}
