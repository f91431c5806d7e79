"""How somebody wants to be paged: `/api/v1/users/{id}/notification-rules`. For them and for admins."""

from typing import Annotated, Any, Literal, Self

from pagerpal_common.errors import Invalid, NotFound, Unprocessable
from pagerpal_common.http import Body, Call, Endpoint
from pagerpal_common.vocabulary import Channel, Role, RuleSeverity
from pydantic import ConfigDict, Field, model_validator
from sqlalchemy.ext.asyncio import AsyncConnection

from pagerpal_web.api.contact_methods import person_of
from pagerpal_web.api.rows import Page, changes, subset_of
from pagerpal_web.callers import author_of
from pagerpal_web.context import Context
from pagerpal_web.fields import Id
from pagerpal_web.storage import notification_rules as storage
from pagerpal_web.storage.contact_methods import get_method
from pagerpal_web.storage.notification_rules import NOTIFICATION_RULES, NotificationRule
from pagerpal_web.storage.resources import delete_row, get_row, list_rows, update_row
from pagerpal_web.storage.users import User

LONGEST_DELAY_SECONDS = 24 * 60 * 60
ONE_WAY = "give contact_method_id or channel, and not both"


class NewRule(Body):
    """By a verified contact method, or by the person's own phone (`sms`, `voice`) or mail (`email`), whatever it is."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"severity": "critical", "channel": "voice", "delay_seconds": 60}]}
    )

    severity: RuleSeverity
    contact_method_id: Id | None = None
    channel: Literal[Channel.SMS, Channel.VOICE, Channel.EMAIL] | None = None
    delay_seconds: Annotated[int, Field(ge=0, le=LONGEST_DELAY_SECONDS)]
    """After the page was asked for; one that follows a failure does not wait."""

    @model_validator(mode="after")
    def _is_one_way(self) -> Self:
        if (self.contact_method_id is None) == (self.channel is None):
            raise ValueError(ONE_WAY)
        return self


ChangedRule = subset_of(NewRule)


async def list_rules(ctx: Context, call: Call[Page]) -> list[NotificationRule]:
    """List somebody's notification rules, in order of id. Without any, the defaults hold.

    Those are: SMS at once and a call after 120 s when there is a phone, mail at once when there is none.
    """
    async with ctx.db.begin() as tx:
        await person_of(tx, call)
        return await list_rows(tx, NOTIFICATION_RULES, call.ids, limit=call.body.limit, after=call.body.after)


async def get_rule(ctx: Context, call: Call[None]) -> NotificationRule:
    """Show a notification rule."""
    async with ctx.db.begin() as tx:
        await person_of(tx, call)
        return await get_row(tx, NOTIFICATION_RULES, call.ids)


async def create_rule(ctx: Context, call: Call[NewRule]) -> NotificationRule:
    """Add a notification rule, by a contact method that is verified or by the person's own phone or mail.

    Rules for one severity and those for any hold together. While none is for an incident's severity, the defaults do.
    """
    async with ctx.db.begin() as tx:
        user = await person_of(tx, call, lock=True)
        values = await _with_way(tx, user, call.body.model_dump())
        return await storage.insert_rule(tx, user, values, author_of(ctx, call))


async def update_rule(ctx: Context, call: Call[Body]) -> NotificationRule:
    """Change a notification rule; with another way the one of before is gone."""
    async with ctx.db.begin() as tx:
        user = await person_of(tx, call, lock=True)
        rule = await get_row(tx, NOTIFICATION_RULES, call.ids, lock=True)
        wanted = await _with_way(tx, user, _one_way(changes(call)))
        return await update_row(tx, NOTIFICATION_RULES, rule.id, wanted, author_of(ctx, call))


async def delete_rule(ctx: Context, call: Call[None]) -> None:
    """Remove a notification rule. After the last one the defaults hold again."""
    async with ctx.db.begin() as tx:
        await person_of(tx, call)
        rule = await get_row(tx, NOTIFICATION_RULES, call.ids, lock=True)
        await delete_row(tx, NOTIFICATION_RULES, rule.id, author_of(ctx, call))


def _one_way(wanted: dict[str, Any]) -> dict[str, Any]:
    """A PATCH that names one way takes the other one away.

    Raises:
        Unprocessable: it names two, or takes away and gives nothing.
    """
    ways: dict[str, Any] = {name: wanted[name] for name in ("contact_method_id", "channel") if name in wanted}
    if ways and sum(way is not None for way in ways.values()) != 1:
        raise Unprocessable([{"loc": ["body"], "msg": ONE_WAY, "type": "value_error"}])
    return {**wanted, **({"contact_method_id": None, "channel": None, **ways} if ways else {})}


async def _with_way(tx: AsyncConnection, user: User, values: dict[str, Any]) -> dict[str, Any]:
    """The values, with a contact method that may be used: somebody's own phone or mail by its channel.

    Raises:
        Invalid: it is not theirs, or not verified.
    """
    if (method_id := values.get("contact_method_id")) is None:
        return values
    try:
        method = await get_method(tx, user, method_id, lock=True)
    except NotFound:
        raise Invalid(f"user {user.id} has no contact method {method_id}") from None
    if method.is_own:
        return {**values, "contact_method_id": None, "channel": method.channel}
    if not method.is_verified:
        raise Invalid(f"contact method {method_id} is not verified")
    return values


_RULES = "/api/v1/users/{user_id:int}/notification-rules"
_RULE = _RULES + "/{rule_id:int}"

ENDPOINTS = (
    Endpoint("POST", _RULES, create_rule, Role.VIEWER, NewRule, 201, NotificationRule, refuses=(400, 409)),
    Endpoint("GET", _RULES, list_rules, Role.VIEWER, Page, gives=list[NotificationRule], refuses=(403,)),
    Endpoint("GET", _RULE, get_rule, Role.VIEWER, gives=NotificationRule, refuses=(403,)),
    Endpoint("PATCH", _RULE, update_rule, Role.VIEWER, ChangedRule, gives=NotificationRule, refuses=(400,)),
    Endpoint("DELETE", _RULE, delete_rule, Role.VIEWER, status=204),
)
