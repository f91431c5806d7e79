"""What do the ends of tries make of their providers' circuits? Asked in the transaction that writes the ends down."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import structlog
from pagerpal_common.vocabulary import CircuitState
from sqlalchemy.ext.asyncio import AsyncConnection

from pagerpal_notifier.channels import Provider
from pagerpal_notifier.domain.circuit import Circuit, Sign, after_outcomes, sign
from pagerpal_notifier.domain.delivery import Outcome
from pagerpal_notifier.domain.limits import LIMITS
from pagerpal_notifier.domain.page import Claim, Member
from pagerpal_notifier.storage.circuits import lock_circuits, release, save_circuit

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Said:
    """One provider's answer to one claim, or what came instead of one, for some of what its message told of."""

    claim: Claim
    outcome: Outcome
    provider: Provider
    rows: Sequence[Claim | Member]


@dataclass(frozen=True)
class News:
    """How a circuit has changed."""

    before: Circuit
    after: Circuit
    detail: str
    """Of the last trouble."""
    released: int = 0
    """Notifications that waited for it to close."""


async def note(tx: AsyncConnection, answers: Sequence[Said], *, now: datetime) -> dict[str, News]:
    """Write down what these ends make of circuits, and let go of what waits for one that closes; those that are, or
    were, in trouble, by the provider's name. They are held until the transaction ends."""
    by_name: defaultdict[str, list[Said]] = defaultdict(list)
    for one in answers:
        if one.provider.name in LIMITS and LIMITS[one.provider.name].has_circuit:
            by_name[one.provider.name].append(one)
    troubled = [name for name, said in by_name.items() if any(one.outcome.is_outage for one in said)]
    news: dict[str, News] = {}
    for name, before in (await lock_circuits(tx, list(by_name), troubled=troubled)).items():
        said = by_name[name]
        tries = [one.outcome for one in said if one.rows[0] is one.claim]  # a message is one, however much it tells of
        after = after_outcomes(before, tries, now=now, draw=_draw(said[-1].claim))
        closes = after.state is CircuitState.CLOSED and before.state is not CircuitState.CLOSED
        released = await release(tx, name, now=now) if closes else 0
        if after != before:
            await save_circuit(tx, name, after)
        news[name] = News(before, after, _detail(said), released)
    return news


def is_outage(one: Said, news: Mapping[str, News]) -> bool:
    """Whether this try has met a provider that is left alone from now on, so that it counts for nothing."""
    found = news.get(one.provider.name)
    return found is not None and found.after.state is not CircuitState.CLOSED and sign(one.outcome) is Sign.TROUBLE


def report(news: Mapping[str, News], *, now: datetime) -> None:
    """Say what has changed, once it is committed."""
    for name, one in news.items():
        before, after = one.before, one.after
        probe_at = None if after.probe_at is None else after.probe_at.isoformat(timespec="seconds")
        if after.state is before.state:
            continue
        if after.state is CircuitState.CLOSED:
            seconds = 0 if before.opened_at is None else round((now - before.opened_at).total_seconds())
            log.info("circuit.closed", provider=name, seconds=seconds, released=one.released)
        elif before.state is CircuitState.CLOSED:
            log.error("circuit.opened", provider=name, failures=after.failures, detail=one.detail, probe_at=probe_at)
        else:
            log.warning("circuit.still_open", provider=name, detail=one.detail, probe_at=probe_at)


def _detail(said: Sequence[Said]) -> str:
    """Of the last trouble; of the last answer, if there was none."""
    return next((one.outcome.detail for one in reversed(said) if one.outcome.is_outage), said[-1].outcome.detail)


def _draw(claim: Claim) -> float:
    """The jitter's: of the id's random bits."""
    return (claim.attempt_id.int & 0xFFFF) / 0x10000
