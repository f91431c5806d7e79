"""When is a job healthy, and what is said of it when it is not?"""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from pagerpal_web.domain.jobs import LATE, LOOPS, Job, JobName, LoopRun, Work, judge

T0 = datetime(2026, 5, 21, 12, tzinfo=UTC)
FINE = {loop: LoopRun(timedelta(seconds=1), T0, None) for loops in LOOPS.values() for loop in loops}


def seconds(number: float) -> timedelta:
    return timedelta(seconds=number)


def job(name: JobName, at: datetime = T0, work: Work | None = None, **runs: LoopRun | None) -> Job:
    """One job, when these loops are not fine. Their names have __ for the dot."""
    given = {loop.replace("__", "."): run for loop, run in runs.items()}
    known = {loop: run for loop, run in {**FINE, **given}.items() if run is not None}
    jobs = judge(known, {} if work is None else {name: work}, at)
    return next(one for one in jobs if one.name is name)


def test_every_job_of_the_contract_is_there_and_healthy_when_its_loops_run() -> None:
    jobs = judge(FINE, {}, T0)

    assert [one.name for one in jobs] == ["notification_retry", "escalation", "outbox_relay", "alert_spool", "auditor"]
    assert all(one.healthy for one in jobs)
    assert all(one.enabled for one in jobs)
    assert jobs[0] == Job(JobName.NOTIFICATION_RETRY, True, T0, 0.0, 0, True, None)
    assert jobs[-1] == Job(JobName.AUDITOR, True, T0, 0.0, 0, True, None)


def test_the_stalest_loop_decides() -> None:
    stale = LoopRun(seconds(1), T0 - seconds(42), None)

    found = job(JobName.OUTBOX_RELAY, notifier__outbox_relay=stale)

    assert (found.last_run_at, found.healthy) == (T0 - seconds(42), False)
    assert found.reason == "notifier.outbox_relay has not run for 42 s"


def test_other_jobs_do_not_suffer() -> None:
    jobs = judge({**FINE, "escalator.sweep": LoopRun(seconds(2), T0 - seconds(60), None)}, {}, T0)

    assert [one.name for one in jobs if not one.healthy] == [JobName.ESCALATION]


@pytest.mark.parametrize(
    ("every", "age", "is_healthy"),
    [(1, 16, True), (1, 16.001, False), (60, 75, True), (60, 75.001, False)],
)
def test_a_loop_that_looks_seldom_may_be_silent_for_longer(every: float, age: float, is_healthy: bool) -> None:
    run = LoopRun(seconds(every), T0 - seconds(age), None)

    assert job(JobName.ESCALATION, escalator__sweep=run).healthy is is_healthy


def test_a_loop_that_has_never_run_is_named() -> None:
    unwritten = job(JobName.ESCALATION, escalator__escalation=None)
    begun = job(JobName.ESCALATION, escalator__escalation=LoopRun(seconds(1), None, "ValueError"))

    assert (unwritten.last_run_at, unwritten.healthy) == (None, False)
    assert unwritten.reason == "escalator.escalation has never run"
    assert (begun.last_run_at, begun.healthy) == (None, False)
    assert begun.reason == "escalator.escalation has never run: it fails with ValueError"


def test_a_loop_that_fails_now_and_then_is_healthy_and_one_that_always_does_is_named_with_its_error() -> None:
    now_and_then = LoopRun(seconds(1), T0 - seconds(3), "ValueError")
    always = replace(now_and_then, last_run_at=T0 - seconds(30))

    assert job(JobName.ALERT_SPOOL, incidents__alert_spool=now_and_then).healthy
    found = job(JobName.ALERT_SPOOL, incidents__alert_spool=always)
    assert found.reason == "incidents.alert_spool has not run for 30 s: it fails with ValueError"


def test_a_loop_of_the_future_is_not_trusted() -> None:
    ahead = LoopRun(seconds(1), T0 + timedelta(hours=1), None)

    found = job(JobName.ESCALATION, escalator__sweep=ahead)

    assert (found.healthy, found.reason) == (False, "escalator.sweep last ran 3600 s in the future: a clock is wrong")
    assert job(JobName.ESCALATION, escalator__sweep=replace(ahead, last_run_at=T0 + seconds(2))).healthy


@pytest.mark.parametrize(("lag", "is_healthy"), [(LATE, True), (LATE + seconds(1), False)])
def test_what_waits_too_long_is_red_although_all_loops_run(lag: timedelta, is_healthy: bool) -> None:
    found = job(JobName.NOTIFICATION_RETRY, work=Work(7, T0 - lag))

    assert (found.due, found.lag_seconds, found.healthy) == (7, lag.total_seconds(), is_healthy)
    assert found.reason == (None if is_healthy else "the oldest of 7 due has waited for 31 s")


def test_what_falls_due_later_is_not_late() -> None:
    assert job(JobName.OUTBOX_RELAY, work=Work(1, T0 + seconds(3))).lag_seconds == 0.0


def test_everything_that_is_wrong_is_said() -> None:
    runs = {
        "escalator__sweep": LoopRun(seconds(2), T0 - seconds(90), None),
        "incidents__escalation_sweep": LoopRun(seconds(1), T0 - seconds(80), None),
    }

    found = job(JobName.ESCALATION, T0, Work(3, T0 - seconds(90)), **runs)

    assert found.reason == (
        "escalator.sweep has not run for 90 s; incidents.escalation_sweep has not run for 80 s; "
        "the oldest of 3 due has waited for 90 s"
    )


def test_what_else_was_found_of_a_job_turns_it_red_and_says_why() -> None:
    work = {JobName.AUDITOR: Work(3, T0 - seconds(90))}

    jobs = judge(FINE, work, T0, {JobName.AUDITOR: ["levels are late (3)"]})

    assert [one.name for one in jobs if not one.healthy] == [JobName.AUDITOR]
    assert (jobs[-1].due, jobs[-1].lag_seconds, jobs[-1].reason) == (3, 90.0, "levels are late (3)")
