"""Is somebody in a team, and who could put them into one?"""

from dataclasses import dataclass

from pagerpal_common.vocabulary import Role
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

_IS_IN_ONE = text("SELECT EXISTS (SELECT FROM directory.team_members WHERE user_id = :user_id)")
_ADMINS = text("SELECT name FROM directory.users WHERE role = :admin AND is_active ORDER BY id LIMIT 3")


@dataclass(frozen=True)
class Membership:
    """Where somebody stands who may be paged."""

    is_in_a_team: bool
    admins: tuple[str, ...]
    """Some of those who could change it; nobody where there is nothing to change."""


async def find_membership(tx: AsyncConnection, user_id: int, role: Role) -> Membership:
    """Whether they are in a team. A viewer needs none: they work on no incident."""
    if role is Role.VIEWER or (await tx.execute(_IS_IN_ONE, {"user_id": user_id})).scalar_one():
        return Membership(True, ())
    return Membership(False, tuple((await tx.execute(_ADMINS, {"admin": Role.ADMIN})).scalars()))
