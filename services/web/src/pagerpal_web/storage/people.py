"""Who is somebody, as far as a page about an incident says it?"""

from dataclasses import dataclass

from pagerpal_common.vocabulary import Role
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection


@dataclass(frozen=True)
class Person:
    """Somebody, as they are now."""

    user_id: int
    name: str
    role: Role
    is_active: bool

    @property
    def may_act(self) -> bool:
        """Whether they may do anything about an incident."""
        return self.is_active and self.role is not Role.VIEWER


async def find_person(tx: AsyncConnection, user_id: int) -> Person | None:
    """None when nobody has this id any more."""
    query = text("SELECT id, name, role, is_active FROM directory.users WHERE id = :user_id")
    row = (await tx.execute(query, {"user_id": user_id})).one_or_none()
    return None if row is None else Person(row.id, row.name, Role(row.role), row.is_active)
