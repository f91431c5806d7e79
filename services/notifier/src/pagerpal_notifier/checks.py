"""How is a code, or a test page, sent to a contact method? At once, while whoever asked for it waits.

The one place where a provider is called inside a message's handler (`docs/decisions/0021-…`): it takes `SEND_SECONDS`
at most, holds up no page, and the message expires with the patience of whoever asked.
"""

import asyncio

import structlog
from pagerpal_common.codes import kept, new_code
from pagerpal_common.contracts.notifications import CheckContact, CheckOutcome, ContactChecked
from pagerpal_common.errors import NotFound
from pagerpal_common.vocabulary import CheckKind

from pagerpal_notifier.calls import call
from pagerpal_notifier.context import Context
from pagerpal_notifier.domain.delivery import SEND_SECONDS
from pagerpal_notifier.domain.page import Notice
from pagerpal_notifier.domain.proof import OUTCOMES, as_claim, code_notice, trial_notice
from pagerpal_notifier.storage.checks import Check, find_check, insert_code
from pagerpal_notifier.storage.endings import save_ended

log = structlog.get_logger(__name__)


async def check_contact(ctx: Context, command: CheckContact) -> ContactChecked:
    """Send what the check asks for. The code's hash is committed before the call, so that whatever arrives is right.

    Raises:
        NotFound: there is no such check, or it is over.
        Unavailable: nothing has been sent.
    """
    until = asyncio.get_running_loop().time() + SEND_SECONDS
    async with ctx.db.begin() as tx:
        check = await find_check(tx, command.check_id)
    if check is None:
        raise NotFound("there is no such check of a contact method any more")
    notice = await _notice(ctx, check)
    if notice is None:
        return _told(ctx, CheckOutcome.UNCERTAIN, "asked for before; it may have gone")
    claim = as_claim(check.check_id, check.channel, check.address, notice, signing_secret=check.signing_secret)
    outcome = await call(ctx, claim, until)
    if outcome.has_ended:
        async with ctx.db.begin() as tx:
            await save_ended(tx, [check.address], now=ctx.now())
    log.info(
        "check.sent", check_id=str(check.check_id), kind=check.kind, channel=check.channel, verdict=outcome.verdict
    )
    return _told(ctx, OUTCOMES[outcome.verdict], outcome.detail)


async def _notice(ctx: Context, check: Check) -> Notice | None:
    """What is to be said; None when a code has been made for this check before, which nobody knows any more."""
    if check.kind is CheckKind.TEST:
        return trial_notice()
    code = new_code()
    stored = await asyncio.to_thread(kept, code)
    async with ctx.db.begin() as tx:
        is_new = await insert_code(tx, check.check_id, stored, now=ctx.now())
    return code_notice(code) if is_new else None


def _told(ctx: Context, outcome: CheckOutcome, detail: str) -> ContactChecked:
    return ContactChecked(occurred_at=ctx.now(), outcome=outcome, detail=detail)
