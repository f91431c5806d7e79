"""How somebody can be reached: `/api/v1/users/{id}/contact-methods`. To them and to admins, and nobody else.

Only the owner sees an address whole, and nobody that of a browser, which is of use to its push service alone. An admin
may add a method for somebody, but not say that it is theirs: nothing is sent to it before its owner has proven it
(`contact_checks.py`).
"""

import secrets
from typing import Annotated, Any

from pagerpal_common.errors import Conflict, Forbidden, Unprocessable
from pagerpal_common.http import Body, Call, Endpoint
from pagerpal_common.long_tail import destination
from pagerpal_common.vocabulary import Channel, Role
from pagerpal_common.web_push import let_through
from pydantic import Field, StringConstraints
from sqlalchemy.ext.asyncio import AsyncConnection

from pagerpal_web.api.rows import Page, changes, subset_of
from pagerpal_web.callers import author_of
from pagerpal_web.context import Context
from pagerpal_web.destinations import check_destination
from pagerpal_web.fields import LONGEST_URL, Name, address_of
from pagerpal_web.masking import masked
from pagerpal_web.storage import contact_methods as storage
from pagerpal_web.storage.channels import find_push_key
from pagerpal_web.storage.contact_methods import CONTACT_METHODS, ContactMethod
from pagerpal_web.storage.resources import get_row, update_row
from pagerpal_web.storage.users import USERS, User

WITH_URL = frozenset({Channel.WEBHOOK, Channel.SLACK})


class NewContactMethod(Body):
    """A telephone number in E.164, a mail address, the URL of a webhook or of a chat's incoming webhook, the Apprise
    URL of a messenger that is switched on here, or the JSON of a browser's push subscription."""

    channel: Channel = Field(examples=["sms"])
    address: Annotated[str, StringConstraints(min_length=1, max_length=LONGEST_URL)] = Field(examples=["+491701234567"])
    label: Name | None = None


ChangedContactMethod = subset_of(NewContactMethod, "channel")
"""Another address has to be verified anew."""


class CreatedContactMethod(ContactMethod):
    """With the key that a webhook's requests are signed with (HMAC), which is shown this once."""

    signing_secret: str | None


async def list_contact_methods(ctx: Context, call: Call[Page]) -> list[ContactMethod]:
    """List somebody's contact methods, in order of id: their own phone (SMS and voice) and mail are the first."""
    async with ctx.db.begin() as tx:
        user = await person_of(tx, call)
        found = await storage.list_methods(tx, user, limit=call.body.limit, after=call.body.after)
    return [shown_to(call, method) for method in found]


async def get_contact_method(ctx: Context, call: Call[None]) -> ContactMethod:
    """Show a contact method; its address is masked for everybody but its owner, and that of a browser for everybody."""
    async with ctx.db.begin() as tx:
        user = await person_of(tx, call)
        return shown_to(call, await storage.get_method(tx, user, call.ids["method_id"]))


async def create_contact_method(ctx: Context, call: Call[NewContactMethod]) -> CreatedContactMethod:
    """Add a contact method. Nothing is sent to it until its owner has verified it.

    A webhook's `signing_secret` is in this answer and in no other.
    """
    async with ctx.db.begin() as tx:
        await person_of(tx, call)
        await _check_channel(tx, call.body.channel)
    body, by = call.body, author_of(ctx, call)
    address = await _checked(ctx, body.channel, body.address)
    secret = f"whsec_{secrets.token_urlsafe(32)}" if body.channel is Channel.WEBHOOK else None
    values = {"channel": body.channel, "address": address, "label": body.label, "signing_secret": secret}
    async with ctx.db.begin() as tx:
        user = await person_of(tx, call, lock=True)
        made = shown_to(call, await storage.insert_method(tx, user, values, by))
    return CreatedContactMethod(**dict(made), signing_secret=secret)


async def update_contact_method(ctx: Context, call: Call[Body]) -> ContactMethod:
    """Change a contact method. Another address is one that is not verified: rules pass it over until it is."""
    by, wanted = author_of(ctx, call), changes(call)
    async with ctx.db.begin() as tx:
        method = await _changeable(tx, call)
    if wanted.get("address") is not None:
        wanted["address"] = await _checked(ctx, method.channel, wanted["address"])
    async with ctx.db.begin() as tx:
        await _changeable(tx, call)
        return shown_to(call, await update_row(tx, CONTACT_METHODS, method.id, wanted, by))


async def delete_contact_method(ctx: Context, call: Call[None]) -> None:
    """Remove a contact method. Refused while a notification rule uses it."""
    async with ctx.db.begin() as tx:
        method = await _changeable(tx, call)
        await storage.delete_method(tx, method, author_of(ctx, call))


async def person_of(tx: AsyncConnection, call: Call[Any], *, lock: bool = False, is_personal: bool = False) -> User:
    """The person in the path, if the caller may have to do with how they are reached.

    Args:
        tx: the transaction.
        call: the request.
        lock: hold their row until the transaction ends.
        is_personal: it is for themselves alone, not for admins.

    Raises:
        NotFound: there is nobody with this id.
        Forbidden: it is somebody else, and not theirs to see.
    """
    user = await get_row(tx, USERS, call.ids, lock=lock)
    if call.actor.user_id != user.id and (is_personal or call.actor.role is not Role.ADMIN):
        raise Forbidden("this is for the person themselves" + ("" if is_personal else " and for admins"))
    return user


def shown_to(call: Call[Any], method: ContactMethod) -> ContactMethod:
    """With its whole address for its owner alone, unless it is a browser's."""
    if call.actor.user_id == method.user_id and method.channel is not Channel.WEB_PUSH:
        return method
    return method.model_copy(update={"address": masked(method.address)})


async def _changeable(tx: AsyncConnection, call: Call[Any]) -> ContactMethod:
    """Raises Conflict for somebody's own phone or mail."""
    user = await person_of(tx, call)
    method = await storage.get_method(tx, user, call.ids["method_id"], lock=True)
    if method.is_own:
        raise Conflict("this is the user's own phone or email: it changes with the user")
    return method


async def _check_channel(tx: AsyncConnection, channel: Channel) -> None:
    """Raises Unprocessable for a browser, where none can have subscribed to us."""
    if channel is Channel.WEB_PUSH and await find_push_key(tx) is None:
        problem = "nothing is sent to browsers here (PAGERPAL_WEB_PUSH_KEY)"
        raise Unprocessable([{"loc": ["body", "channel"], "msg": problem, "type": "value_error"}])


async def _checked(ctx: Context, channel: Channel, given: str) -> str:
    """The address as it is stored. A URL leads into the public internet, but for those who develop; one of a messenger
    leads to what is switched on here, a browser's to its maker's push service, and that is told again before each
    page."""
    try:
        address = address_of(channel, given)
        if channel is Channel.APPRISE:
            destination(address, ctx.settings.long_tail)
        if channel is Channel.WEB_PUSH:
            let_through(address, ctx.settings.web_push)
    except ValueError as error:
        raise Unprocessable([{"loc": ["body", "address"], "msg": str(error), "type": "value_error"}]) from None
    if channel in WITH_URL and ctx.settings.env == "production":
        await check_destination(address)
    return address


_METHODS = "/api/v1/users/{user_id:int}/contact-methods"
METHOD_PATH = _METHODS + "/{method_id:int}"

ENDPOINTS = (
    Endpoint(
        "POST",
        _METHODS,
        create_contact_method,
        Role.VIEWER,
        NewContactMethod,
        201,
        CreatedContactMethod,
        refuses=(400, 409),
    ),
    Endpoint("GET", _METHODS, list_contact_methods, Role.VIEWER, Page, gives=list[ContactMethod], refuses=(403,)),
    Endpoint("GET", METHOD_PATH, get_contact_method, Role.VIEWER, gives=ContactMethod, refuses=(403,)),
    Endpoint(
        "PATCH",
        METHOD_PATH,
        update_contact_method,
        Role.VIEWER,
        ChangedContactMethod,
        gives=ContactMethod,
        refuses=(400, 409),
    ),
    Endpoint("DELETE", METHOD_PATH, delete_contact_method, Role.VIEWER, status=204, refuses=(409,)),
)
