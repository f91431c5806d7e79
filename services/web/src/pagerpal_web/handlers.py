"""What web does with each message: it does what people ask for by SMS, in their name, as it does by HTTP.

Each reply is seen to in three steps: what it means is committed, the incident's owner is asked, and the end is written
down, in the audit log, too. Whenever it is cut short, the same message comes again and goes on.
"""

from functools import partial

import structlog
from pagerpal_common.bus import Subscription
from pagerpal_common.contracts.escalations import RequestEscalation
from pagerpal_common.contracts.incidents import AcknowledgeIncident, IncidentChanged, IncidentCommand, ResolveIncident
from pagerpal_common.contracts.replies import RepliesReceived, SmsReply
from pagerpal_common.errors import Refusal
from pagerpal_common.vocabulary import ReplyCommand
from sqlalchemy.ext.asyncio import AsyncConnection

from pagerpal_web.context import Context
from pagerpal_web.domain.replies import Reason, Sender, which, who
from pagerpal_web.storage import replies as storage
from pagerpal_web.storage.audit import Action, Author, Event, record

log = structlog.get_logger(__name__)

ANSWER_SECONDS = 3.0
"""How long incidents may take; then the message comes again."""


def subscriptions(ctx: Context) -> tuple[Subscription, ...]:
    """Every message this service takes, and what takes it."""
    return (Subscription(RepliesReceived, partial(on_replies_received, ctx)),)


async def on_replies_received(ctx: Context, fact: RepliesReceived) -> None:
    """Do what each asks for, once, one after the other.

    Raises:
        Unavailable: incidents or PostgreSQL cannot be reached. Those before it are done, and are not done again.
    """
    for reply in fact.replies:
        async with ctx.db.begin() as tx:
            told = await _told(ctx, tx, reply)
        if told is not None:
            await _do(ctx, fact, reply, *told)


async def _told(ctx: Context, tx: AsyncConnection, reply: SmsReply) -> tuple[Sender, storage.Kept] | None:
    """Who wants what; None when there is nothing to be done, or it is done."""
    kept = await storage.find_reply(tx, reply.reply_id)
    sender = who(await storage.list_senders(tx, reply.user_ids))
    if isinstance(sender, Reason):
        await _ignore(ctx, tx, reply, sender)
        return None
    if kept is None:
        incident_id = which(reply, await storage.list_waiting(tx, sender.user_id))
        if isinstance(incident_id, Reason):
            await _ignore(ctx, tx, reply, incident_id, sender)
            return None
        await storage.keep_reply(tx, reply.reply_id, incident_id, ctx.now())
        kept = await storage.find_reply(tx, reply.reply_id)
    return None if kept is None or kept.handled_at is not None else (sender, kept)


async def _ignore(
    ctx: Context, tx: AsyncConnection, reply: SmsReply, reason: Reason, sender: Sender | None = None
) -> None:
    """Nothing is done, and that is written down, as far as `ctx.ignored_replies` goes: strangers can send SMS, too."""
    log.info("reply.ignored", reply_id=str(reply.reply_id), reason=reason)
    skipped = ctx.ignored_replies.spend(ctx.now())
    if skipped is None:
        return
    more = {"skipped": skipped} if skipped else {}
    await storage.keep_reply(tx, reply.reply_id, None, ctx.now())
    if await storage.settle_reply(tx, reply.reply_id, ctx.now()):
        await _note(ctx, tx, reply, reply.incident_id, sender, Action.REPLY_IGNORED, reason=reason, **more)


async def _do(ctx: Context, fact: RepliesReceived, reply: SmsReply, sender: Sender, kept: storage.Kept) -> None:
    action, more = Action.REPLIED, {}
    try:
        await ctx.bus.request(_command(fact, reply, sender, kept), IncidentChanged, wait=ANSWER_SECONDS)
    except Refusal as refusal:
        action, more = Action.REPLY_IGNORED, {"reason": Reason.REFUSED, "why": refusal.detail}
    async with ctx.db.begin() as tx:
        if await storage.settle_reply(tx, reply.reply_id, ctx.now()):
            await _note(ctx, tx, reply, kept.incident_id, sender, action, **more)
    log.info("reply.handled", reply_id=str(reply.reply_id), incident_id=kept.incident_id, action=action)


def _command(fact: RepliesReceived, reply: SmsReply, sender: Sender, kept: storage.Kept) -> IncidentCommand:
    """Always the same for the same SMS, down to its time: an escalation that is asked for twice leaves one level."""
    asked = {
        "occurred_at": fact.occurred_at,
        "incident_id": kept.incident_id,
        "actor_user_id": sender.user_id,
        "acting_as_user_id": sender.user_id,
    }
    match reply.command:
        case ReplyCommand.RESOLVE:
            return ResolveIncident.model_validate(asked)
        case ReplyCommand.ESCALATE:
            return RequestEscalation.model_validate({**asked, "expected_level": kept.expected_level})
    return AcknowledgeIncident.model_validate(asked)


async def _note(
    ctx: Context,
    tx: AsyncConnection,
    reply: SmsReply,
    incident_id: int | None,
    sender: Sender | None,
    action: Action,
    **more: object,
) -> None:
    data = {"by": "sms", "sender": reply.sender, "command": reply.command, **more}
    by = Author(None if sender is None else sender.user_id, ctx.now())
    kind = None if incident_id is None else "incident"
    await record(tx, by, Event(action, kind, incident_id, data=data))
