"""Is each kind of work that nobody asks for being done, and if not, what is wrong? Pure: the time is an argument.

A job is what people know of it, and rests on loops of several services: on all of them, so the stalest decides. It is
red when one of its loops has stalled, or when what is due has waited for too long although all of them run.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from pagerpal_common.heartbeat import STALLED_SECONDS


class JobName(StrEnum):
    """The jobs, as the API names them."""

    NOTIFICATION_RETRY = "notification_retry"  # pages are claimed, sent, sent again, and told of
    ESCALATION = "escalation"  # levels fall due, are asked for, and entered
    OUTBOX_RELAY = "outbox_relay"  # what was written is handed to the broker
    ALERT_SPOOL = "alert_spool"  # what was accepted while the broker was away is taken in
    AUDITOR = "auditor"  # looks for broken guarantees in what all of this leaves behind


LOOPS: Mapping[JobName, tuple[str, ...]] = {
    JobName.NOTIFICATION_RETRY: (
        "notifier.send",
        "notifier.take_up",
        "notifier.held",
        "notifier.receipts",
        "notifier.polling",
        "incidents.notification_sweep",
    ),
    JobName.ESCALATION: ("escalator.escalation", "escalator.sweep", "incidents.escalation_sweep"),
    JobName.OUTBOX_RELAY: ("incidents.outbox_relay", "escalator.outbox_relay", "notifier.outbox_relay"),
    JobName.ALERT_SPOOL: ("incidents.alert_spool", "ingest.alert_spool"),
    JobName.AUDITOR: ("web.auditor",),
}
"""What each job rests on."""

HOUSEKEEPING = (
    "incidents.counts",
    "incidents.early_ends",
    "ingest.source_tally",
    "ingest.source_history",
    "notifier.channels",
    "web.outgoing_heartbeat",
)
"""Loops that no job rests on: without them lists are slower, counts older and tables longer, somebody outside asks
after us, what has a provider is older, and nobody is left asleep. `/readyz` of their service tells of them, too."""

LATE = timedelta(seconds=30)
"""How long what is due may wait before somebody should look, although all loops run: a level may be this late after a
restart of broker or database (guarantee I5), and a page that nobody settles is in limbo from then on (I10)."""


@dataclass(frozen=True)
class LoopRun:
    """What is written of a loop, by whichever replica wrote last."""

    every: timedelta
    last_run_at: datetime | None
    last_error: str | None


@dataclass(frozen=True)
class Work:
    """What is due at an instant."""

    due: int
    oldest_at: datetime | None
    """Since when the oldest of it is due."""


@dataclass(frozen=True)
class Job:
    """One row of `GET /api/v1/system/jobs`."""

    name: JobName
    enabled: bool
    last_run_at: datetime | None
    """The last success of the loop that has gone without one for longest; None when one has never run."""
    lag_seconds: float | None
    """By how much the oldest of what is due is late."""
    due: int
    """How much is due; counted up to 1000."""
    healthy: bool
    reason: str | None
    """Why it is not healthy."""


def judge(
    runs: Mapping[str, LoopRun],
    work: Mapping[JobName, Work],
    at: datetime,
    found: Mapping[JobName, Sequence[str]] | None = None,
) -> list[Job]:
    """Every job as it stands, from what is written of the loops and from what is due.

    Args:
        found: what else is wrong with a job, in words.
    """
    more = found or {}
    return [_job(name, runs, work.get(name, Work(0, None)), at, more.get(name, ())) for name in LOOPS]


def _job(name: JobName, runs: Mapping[str, LoopRun], work: Work, at: datetime, found: Sequence[str]) -> Job:
    loops = LOOPS[name]
    last = [runs[loop].last_run_at if loop in runs else None for loop in loops]
    known = [moment for moment in last if moment is not None]
    lag = timedelta(0) if work.oldest_at is None else max(at - work.oldest_at, timedelta(0))
    problems = [*found, *(problem for loop in loops for problem in _problems(loop, runs.get(loop), at))]
    if lag > LATE and name is not JobName.AUDITOR:  # what that has found says for how long, too
        problems.append(f"the oldest of {work.due} due has waited for {_whole(lag)} s")
    return Job(
        name=name,
        enabled=True,
        last_run_at=min(known) if len(known) == len(loops) else None,
        lag_seconds=round(lag.total_seconds(), 3),
        due=work.due,
        healthy=not problems,
        reason="; ".join(problems) or None,
    )


def _problems(name: str, run: LoopRun | None, at: datetime) -> Iterator[str]:
    if run is None or run.last_run_at is None:
        yield f"{name} has never run{_because(run)}"
        return
    age = at - run.last_run_at
    allowed = run.every + timedelta(seconds=STALLED_SECONDS)
    if age > allowed:
        yield f"{name} has not run for {_whole(age)} s{_because(run)}"
    elif age < -allowed:  # a clock was set back, or two machines differ: what it says cannot be trusted
        yield f"{name} last ran {_whole(-age)} s in the future: a clock is wrong"


def _because(run: LoopRun | None) -> str:
    return "" if run is None or run.last_error is None else f": it fails with {run.last_error}"


def _whole(duration: timedelta) -> int:
    return int(duration.total_seconds())
