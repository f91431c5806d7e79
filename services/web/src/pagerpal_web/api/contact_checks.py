"""Does it reach me? A code that proves it, and a test page: for oneself alone, `/api/v1/users/{id}/contact-methods/…`.

The notifier sends both, at once; here they are asked for, counted, and codes are taken (`docs/decisions/0021-…`).
"""

import asyncio
from typing import Annotated, Any

from pagerpal_common.codes import is_right
from pagerpal_common.contracts.notifications import CheckContact, CheckOutcome, ContactChecked
from pagerpal_common.errors import Conflict, Invalid, Unavailable
from pagerpal_common.http import BODY_LIMIT, Body, Call, Endpoint, read_body, unprocessable
from pagerpal_common.ids import uuid7
from pagerpal_common.vocabulary import CheckKind, Role
from pydantic import StringConstraints, ValidationError

from pagerpal_web.api.contact_methods import METHOD_PATH, person_of
from pagerpal_web.callers import author_of
from pagerpal_web.context import Context
from pagerpal_web.storage.contact_checks import begin_try, insert_check, spend_code
from pagerpal_web.storage.contact_methods import ContactMethod, get_method, save_proof

ANSWER_SECONDS = 6.0
"""How long a person waits for the provider's word: longer than the notifier does (`SEND_SECONDS`)."""

WRONG = "this is not the code that was sent"


class Proof(Body):
    """The code that has come; without it, or without any body, one is sent."""

    code: Annotated[str, StringConstraints(pattern=r"^[0-9]{6}$")] | None = None


async def verify_contact_method(ctx: Context, call: Call[None]) -> ContactMethod:
    """Verify a contact method of one's own: a code is sent there, and `{"code": "123456"}` in a body proves it.

    A code holds for ten minutes and five tries. At most three are sent within ten minutes.
    """
    async with ctx.db.begin() as tx:
        user = await person_of(tx, call, is_personal=True)
        await get_method(tx, user, call.ids["method_id"])
    proof = await _proof(call)
    if proof.code is None:
        return await send_code(ctx, call)
    return await prove(ctx, call, proof.code)


async def send_code(ctx: Context, call: Call[Any]) -> ContactMethod:
    """Send a code to a contact method of one's own. Raises the same as `_check`."""
    return await _check(ctx, call, CheckKind.CODE)


async def prove(ctx: Context, call: Call[Any], code: str) -> ContactMethod:
    """Take a code: counted, then looked at, then spent, so that no two requests get more out of it than one.

    Raises:
        Invalid: it is not the one that was sent, or none holds.
        TooManyTries: as many have been typed in as may be.
    """
    by = author_of(ctx, call)
    async with ctx.db.begin() as tx:
        user = await person_of(tx, call, is_personal=True)
        method = await get_method(tx, user, call.ids["method_id"])
        sent = await begin_try(tx, method, by.at)
    if not await asyncio.to_thread(is_right, code, sent.kept):
        raise Invalid(WRONG)
    async with ctx.db.begin() as tx:
        user = await person_of(tx, call, lock=True, is_personal=True)
        now = await get_method(tx, user, method.id, lock=True)
        await spend_code(tx, sent.check_id)
        if now.address != method.address:
            raise Invalid("the address has just been changed: have a new code sent")
        return await save_proof(tx, user, now, by)


async def send_test_page(ctx: Context, call: Call[None]) -> ContactMethod:
    """Send a test page to oneself, which says that it is one. It proves nothing, as only a code does.

    At most three within ten minutes.
    """
    return await _check(ctx, call, CheckKind.TEST)


async def _check(ctx: Context, call: Call[Any], kind: CheckKind) -> ContactMethod:
    """Have it sent, and wait until the provider has it.

    Raises:
        Conflict: the provider will not take it.
        TooManyTries: enough has been sent of late.
        Unavailable: it may not have gone.
    """
    check_id, at = uuid7(), ctx.now()
    async with ctx.db.begin() as tx:
        user = await person_of(tx, call, lock=True, is_personal=True)
        method = await get_method(tx, user, call.ids["method_id"])
        await insert_check(tx, method, kind, check_id, at)
    command = CheckContact(occurred_at=at, check_id=check_id)
    reply = await ctx.bus.request(command, ContactChecked, wait=ANSWER_SECONDS)
    if reply.outcome is CheckOutcome.REFUSED:
        raise Conflict(f"this cannot be sent: {reply.detail}")
    if reply.outcome is CheckOutcome.UNCERTAIN:
        raise Unavailable(f"a check of a contact method may not have gone: {reply.detail}")
    return method


async def _proof(call: Call[Any]) -> Proof:
    """What came along, if anything did."""
    body = await read_body(call.request, BODY_LIMIT)
    try:
        return Proof.model_validate_json(body) if body.strip() else Proof()
    except ValidationError as error:
        raise unprocessable(error, "body") from None


ENDPOINTS = (
    Endpoint(
        "POST",
        METHOD_PATH + "/verify",
        verify_contact_method,
        Role.VIEWER,
        gives=ContactMethod,
        refuses=(400, 409, 413, 415, 422),
    ),
    Endpoint(
        "POST",
        METHOD_PATH + "/test",
        send_test_page,
        Role.VIEWER,
        gives=ContactMethod,
        refuses=(409,),
    ),
)
