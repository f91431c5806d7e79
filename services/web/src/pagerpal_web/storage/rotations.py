"""Rotations of schedules, and the people who take turns in them."""

from collections.abc import Sequence

from pagerpal_common.schema.on_call import rotation_people as people
from pagerpal_common.schema.on_call import schedule_rotations as rotations
from pagerpal_common.vocabulary import RotationKind
from sqlalchemy import delete, func, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from pagerpal_web.fields import LocalMoment, Restriction
from pagerpal_web.storage.resources import Resource, View
from pagerpal_web.storage.schedules import SCHEDULES


class Rotation(View):
    """People who take turns on a schedule."""

    schedule_id: int
    name: str
    user_ids: list[int]
    kind: RotationKind
    length: int
    handoff_at: LocalMoment
    restrictions: list[Restriction]
    priority: int


_IN_TURN = (
    select(people.c.user_id).where(people.c.rotation_id == rotations.c.id).order_by(people.c.position).scalar_subquery()
)

ROTATIONS = Resource(
    table=rotations,
    view=Rotation,
    query=select(
        *(rotations.c[name] for name in Rotation.model_fields if name != "user_ids"),
        func.array(_IN_TURN).label("user_ids"),
    ),
    ids={"schedule_id": rotations.c.schedule_id, "rotation_id": rotations.c.id},
    parent=SCHEDULES,
)


async def save_people(tx: AsyncConnection, rotation_id: int, user_ids: Sequence[int]) -> None:
    """Let these people take turns, in this order, instead of those who did."""
    await tx.execute(delete(people).where(people.c.rotation_id == rotation_id))
    await tx.execute(
        insert(people),
        [
            {"rotation_id": rotation_id, "position": position, "user_id": user_id}
            for position, user_id in enumerate(user_ids)
        ],
    )
