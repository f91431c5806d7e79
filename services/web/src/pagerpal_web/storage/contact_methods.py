"""How people can be reached beside their own phone and mail, and which of all that is proven to be theirs."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from pagerpal_common.errors import Conflict, NotFound
from pagerpal_common.schema.directory import contact_methods as methods
from pagerpal_common.schema.directory import contact_proofs as proofs
from pagerpal_common.schema.notification import ended_subscriptions as ended
from pagerpal_common.vocabulary import Channel
from pydantic import Field
from sqlalchemy import and_, func, literal, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from pagerpal_web.domain.own_methods import OWN_METHODS, own_address
from pagerpal_web.storage.audit import Author
from pagerpal_web.storage.resources import (
    Moment,
    Resource,
    View,
    delete_row,
    get_row,
    insert_row,
    list_rows,
    record_change,
)
from pagerpal_web.storage.users import USERS, User

MOST_METHODS = 10
"""Beside one's own phone and mail."""


class ContactMethod(View):
    """A way to a person. Their own phone and mail are among them, as 1 (SMS), 2 (voice) and 3 (mail)."""

    user_id: int
    channel: Channel = Field(examples=["sms"])
    address: str
    """Masked for everybody but its owner; that of a browser for everybody."""
    label: str | None
    is_verified: bool
    """Whether its owner has typed in a code that was sent to this very address, and it has not ended since."""
    last_proven_at: Moment | None
    """When they last did."""
    ended_at: Moment | None = None
    """When a browser's push service first said that it takes no notifications any more: it has to subscribe anew."""
    is_own: bool
    """It is the user's phone or email itself, and changes with them."""


_PROVEN_AT = (
    select(proofs.c.proven_at)
    .where(
        proofs.c.user_id == methods.c.user_id,
        proofs.c.method_id == methods.c.id,
        proofs.c.address == methods.c.address,
    )
    .scalar_subquery()
)

_ENDED_AT = (
    select(ended.c.ended_at)
    .where(
        methods.c.channel == Channel.WEB_PUSH,
        ended.c.address_digest == func.sha256(func.convert_to(methods.c.address, "UTF8")),
    )
    .scalar_subquery()
)

CONTACT_METHODS = Resource(
    table=methods,
    view=ContactMethod,
    query=select(
        *(methods.c[name] for name in ("id", "user_id", "channel", "address", "label")),
        and_(_PROVEN_AT.is_not(None), _ENDED_AT.is_(None)).label("is_verified"),
        _PROVEN_AT.label("last_proven_at"),
        _ENDED_AT.label("ended_at"),
        literal(False).label("is_own"),
    ),
    ids={"user_id": methods.c.user_id, "method_id": methods.c.id},
    parent=USERS,
)


async def list_methods(tx: AsyncConnection, user: User, *, limit: int, after: int) -> list[ContactMethod]:
    """At most `limit` of their methods with an id greater than `after`, in order of it."""
    own = [method for method in await _own_methods(tx, user) if method.id > after]
    rows = await list_rows(tx, CONTACT_METHODS, {"user_id": user.id}, limit=limit, after=after)
    return [*own, *rows][:limit]


async def get_method(tx: AsyncConnection, user: User, method_id: int, *, lock: bool = False) -> ContactMethod:
    """One of their methods.

    Raises:
        NotFound: they have no such one.
    """
    if method_id not in OWN_METHODS:
        return await get_row(tx, CONTACT_METHODS, {"user_id": user.id, "method_id": method_id}, lock=lock)
    for method in await _own_methods(tx, user):
        if method.id == method_id:
            return method
    raise NotFound(f"there is no {CONTACT_METHODS.noun} {method_id}")


async def insert_method(tx: AsyncConnection, user: User, values: Mapping[str, Any], by: Author) -> ContactMethod:
    """A new method of somebody whose row the caller holds.

    Raises:
        Conflict: they have it already, or as many as anybody may have.
    """
    query = text("SELECT count(*) FROM directory.contact_methods WHERE user_id = :user_id")
    if await tx.scalar(query, {"user_id": user.id}) >= MOST_METHODS:
        raise Conflict(f"a user has at most {MOST_METHODS} contact methods")
    return await insert_row(tx, CONTACT_METHODS, {**values, "user_id": user.id, "created_at": by.at}, by)


async def delete_method(tx: AsyncConnection, method: ContactMethod, by: Author) -> None:
    """Remove a method and its proof. Raises Conflict while a rule uses it; the text names that."""
    await delete_row(tx, CONTACT_METHODS, method.id, by)
    query = text("DELETE FROM directory.contact_proofs WHERE user_id = :user_id AND method_id = :method_id")
    await tx.execute(query, {"user_id": method.user_id, "method_id": method.id})


async def save_proof(tx: AsyncConnection, user: User, method: ContactMethod, by: Author) -> ContactMethod:
    """Its owner has shown that what is sent to its address reaches them."""
    query = text("""
        INSERT INTO directory.contact_proofs (user_id, method_id, address, proven_at)
        VALUES (:user_id, :method_id, :address, :at)
        ON CONFLICT (user_id, method_id) DO UPDATE SET address = excluded.address, proven_at = excluded.proven_at
    """)
    values = {"user_id": user.id, "method_id": method.id, "address": method.address, "at": by.at}
    await tx.execute(query, values)
    proven = await get_method(tx, user, method.id)
    await record_change(tx, CONTACT_METHODS, method, proven, by, user_id=user.id)
    return proven


async def _own_methods(tx: AsyncConnection, user: User) -> list[ContactMethod]:
    """Their phone, for SMS and calls, and their mail, as far as they have them."""
    query = text("SELECT method_id, address, proven_at FROM directory.contact_proofs WHERE user_id = :user_id")
    proven: dict[tuple[int, str], datetime] = {
        (row.method_id, row.address): row.proven_at for row in await tx.execute(query, {"user_id": user.id})
    }
    return [
        ContactMethod(
            id=method_id,
            user_id=user.id,
            channel=channel,
            address=address,
            label=None,
            is_verified=(method_id, address) in proven,
            last_proven_at=proven.get((method_id, address)),
            is_own=True,
        )
        for method_id, channel in OWN_METHODS.items()
        if (address := own_address(channel, phone=user.phone, email=user.email)) is not None
    ]
