"""Can an operator see whether PagerPal's own work is being done? (API reference, "System worker status")"""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from tests.e2e.deployment import Deployment
from tests.e2e.pagerpal import Pagerpal, minutes

JOBS = "/api/v1/system/jobs"


async def test_a_pagerpal_at_work_says_that_all_is_well(pagerpal: Pagerpal) -> None:
    team = await pagerpal.given_team(levels=["ana"])
    await pagerpal.open_incident(team)
    await pagerpal.expect_sms("ana")
    pagerpal.allow_calls("ana")
    await pagerpal.expect_quiet()

    body = await until_red(pagerpal)

    assert body["healthy"]
    assert [(job["name"], job["enabled"]) for job in body["jobs"]] == [
        ("notification_retry", True),
        ("escalation", True),
        ("outbox_relay", True),
        ("alert_spool", True),
        ("auditor", True),
    ]
    assert all(job["last_run_at"] and job["due"] == 0 for job in body["jobs"] if job["enabled"])
    assert (body["parked_alerts"], body["parked_messages"]) == (0, 0)


@pytest.mark.parametrize("deployment", ["distributed"], indirect=True)
async def test_an_escalator_that_stands_still_turns_its_jobs_red_until_it_goes_on(pagerpal: Pagerpal) -> None:
    await until_red(pagerpal)

    with standing_still(pagerpal.deployment, "escalator"):
        await pagerpal.advance(minutes(1))

        body = await until_red(pagerpal, "escalation", "outbox_relay")
        escalation = job(body, "escalation")
        assert not body["healthy"]
        assert "escalator.escalation has not run for" in escalation["reason"]
        assert "escalator.outbox_relay has not run for" in job(body, "outbox_relay")["reason"]

    body = await until_red(pagerpal)
    assert body["healthy"]
    assert job(body, "escalation")["last_run_at"] > escalation["last_run_at"]


def job(body: Any, name: str) -> Any:
    return next(one for one in body["jobs"] if one["name"] == name)


async def until_red(pagerpal: Pagerpal, *names: str) -> Any:
    """Wait until these jobs are red, and no other; the whole answer."""

    async def are_red() -> Any:
        body = await pagerpal.get(JOBS)
        return body if [one["name"] for one in body["jobs"] if not one["healthy"]] == list(names) else None

    return await pagerpal.until(f"these jobs are red: {names}", are_red)


@contextmanager
def standing_still(deployment: Deployment, service: str) -> Iterator[None]:
    """A service's process lives, and does nothing."""
    pid = deployment.pid_of(service)
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)
