"""Logging in and out with a browser: `POST /login`, `POST /logout`. The pages themselves are the user interface's."""

from typing import Annotated

from pagerpal_common.errors import Unauthenticated
from pagerpal_common.forms import FORM, came_as_form
from pagerpal_common.http import Body, Call, Endpoint, json_response
from pagerpal_common.vocabulary import Role
from pydantic import BaseModel, StringConstraints
from starlette.responses import RedirectResponse, Response

from pagerpal_web.accounts import check_origin, check_password, storable
from pagerpal_web.callers import author, author_of
from pagerpal_web.context import Context
from pagerpal_web.domain.origins import safe_next
from pagerpal_web.fields import TypedPassword
from pagerpal_web.sessions import open_session, take_from
from pagerpal_web.storage import users
from pagerpal_web.storage.audit import Action, Event, record
from pagerpal_web.storage.resources import get_row
from pagerpal_web.storage.sessions import end_session
from pagerpal_web.storage.users import USERS, User


class LogIn(Body):
    """An account's email address and password, as JSON or as a browser's form."""

    email: Annotated[str, StringConstraints(max_length=254)]
    password: TypedPassword
    next: Annotated[str, StringConstraints(max_length=2000)] | None = None
    """Where to go then: a path of ours. Anything else leads to the dashboard."""


class LoggedIn(BaseModel):
    """Who has logged in, and where a browser would go now. The session is in the cookie."""

    user: User
    next: str


async def log_in(ctx: Context, call: Call[LogIn]) -> Response:
    """JSON is answered with the account, a form with the way on; either with the session's cookie."""
    check_origin(ctx, call.request)
    goes_to = safe_next(call.body.next or call.request.query_params.get("next"))
    email, password = storable(call.body.email), call.body.password.get_secret_value()
    try:
        login = await check_password(ctx, call.request, email, password, by="login")
        by = author(ctx, call.request, login.user_id)
        async with ctx.db.begin() as tx:
            opened = await open_session(ctx, tx, call.request, by, password_hash=login.password_hash)
            await users.note_login(tx, login.user_id, by.at)
            await record(tx, by, Event(Action.LOGIN, USERS.kind, login.user_id, data={"by": "login"}))
            user = await get_row(tx, USERS, {"user_id": login.user_id})
    except Unauthenticated as error:
        return _not_logged_in(error)
    response: Response = RedirectResponse(goes_to, 303)
    if not came_as_form(call.request):
        response = json_response(LoggedIn(user=user, next=goes_to))
    opened.put_into(response, is_secure=ctx.settings.is_secure)
    return response


async def log_out(ctx: Context, call: Call[None]) -> Response:
    """End the session that the request came by. Who brought a password has none, and nothing to end."""
    check_origin(ctx, call.request)
    session_id, by = call.actor.session_id, author_of(ctx, call)
    if session_id is not None:
        async with ctx.db.begin() as tx:
            if await end_session(tx, session_id, user_id=call.actor.user_id):
                await record(tx, by, Event(Action.LOGOUT, USERS.kind, call.actor.user_id))
    is_form = came_as_form(call.request) or call.request.headers.get("content-type", "").startswith(FORM)
    response: Response = RedirectResponse("/login", 303) if is_form else Response(status_code=204)
    take_from(response, is_secure=ctx.settings.is_secure)
    return response


def _not_logged_in(error: Unauthenticated) -> Response:
    """Without the challenge that other routes send: at that a browser would ask for the password itself."""
    challenge = {"WWW-Authenticate": 'Form realm="PagerPal"'}
    return json_response({"detail": error.detail}, 401, challenge)


ENDPOINTS: tuple[Endpoint, ...] = (
    Endpoint("POST", "/login", log_in, None, LogIn, gives=LoggedIn, refuses=(303, 401, 403, 415, 429), is_form=True),
    Endpoint("POST", "/logout", log_out, Role.VIEWER, status=204, refuses=(303, 403)),
)
"""A form is answered 303 instead."""
