"""How is a provider called? Once, within a limit of time, and whatever goes wrong is an outcome like any other."""

import asyncio
import traceback

import structlog
from pagerpal_common import tracing
from pagerpal_common.metrics import PROVIDER_CALLS
from pagerpal_common.tracing import Kind

from pagerpal_notifier.context import Context
from pagerpal_notifier.domain.delivery import Outcome, Verdict
from pagerpal_notifier.domain.page import Claim

log = structlog.get_logger(__name__)


async def call(ctx: Context, claim: Claim, until: float) -> Outcome:
    """One try at the provider, over before `until` (loop time), whatever happens."""
    name = ctx.providers[claim.channel].name if claim.channel in ctx.providers else "none"
    attributes = {"pagerpal.provider": name, "pagerpal.channel": claim.channel.value}
    began = asyncio.get_running_loop().time()
    with tracing.span(f"call {name}", Kind.CLIENT, attributes=attributes) as span:
        outcome = await _try(ctx, claim, until)
        span.set({"pagerpal.outcome": outcome.verdict.value})
        if outcome.verdict is not Verdict.ACCEPTED:
            span.fail(outcome.verdict.value)
    seconds = asyncio.get_running_loop().time() - began
    PROVIDER_CALLS.labels(name, outcome.verdict).observe(seconds)
    return outcome


async def _try(ctx: Context, claim: Claim, until: float) -> Outcome:
    if asyncio.get_running_loop().time() >= until:
        # The process was stopped, or the database slow: what the claim was based on is too old to act on.
        return Outcome(Verdict.UNKNOWN, "not begun in time")
    try:
        async with asyncio.timeout_at(until):
            return await ctx.providers[claim.channel].send(claim)
    except TimeoutError:
        return Outcome(Verdict.UNKNOWN, "no answer in time", is_outage=True)
    except Exception as error:  # noqa: BLE001 - a bug in a channel must not lose a page
        # Without the error's text: it may quote the address.
        where = "".join(traceback.format_tb(error.__traceback__))
        log.error("send.bug", notification_id=claim.notification_id, error=type(error).__name__, where=where)
        return Outcome(Verdict.UNKNOWN, f"a bug of ours: {type(error).__name__}")
