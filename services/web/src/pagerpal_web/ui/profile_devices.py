"""How does a browser become a way to be paged? It subscribes (`static/push.js`), and what it says of that comes here.

It is a contact method like any other: a code is sent to it at once, by the very way that pages will take. The browser's
own page takes the code from the notification (`docs/decisions/0042-…`); where it does not, its person types it in.
"""

from collections.abc import Mapping

from pagerpal_common.vocabulary import Channel
from starlette.responses import Response

from pagerpal_web.api import contact_checks
from pagerpal_web.api import contact_methods as api
from pagerpal_web.context import Context
from pagerpal_web.domain.browsers import browser_of
from pagerpal_web.ui.acting import Action, number, part
from pagerpal_web.ui.forms import fit
from pagerpal_web.ui.html import redirect
from pagerpal_web.ui.pages import Visit
from pagerpal_web.ui.profile_ways import PROFILE

SUBSCRIPTION = "subscription"
"""The field in which the browser's own words are."""


def device_of(visit: Visit) -> str:
    """What this device may be called."""
    return browser_of(visit.request.headers.get("user-agent"))


async def add_device(ctx: Context, visit: Visit) -> Response:
    """Make this browser a contact method, and have its code sent."""
    form = part(visit.form)
    values = {"channel": Channel.WEB_PUSH, "address": form.text(SUBSCRIPTION)}
    body = fit(api.NewContactMethod, {**values, "label": form.text("label") or device_of(visit)})
    made = await api.create_contact_method(ctx, visit.call(body, user_id=visit.me.user_id))
    return await _prove(ctx, visit, made.id)


async def renew_device(ctx: Context, visit: Visit) -> Response:
    """Have a contact method go to this browser, as it has subscribed now: its rules stay, and it is proven anew."""
    method_id = number(visit.form, "about")
    body = fit(api.ChangedContactMethod, {"address": part(visit.form).text(SUBSCRIPTION)})
    await api.update_contact_method(ctx, visit.call(body, user_id=visit.me.user_id, method_id=method_id))
    return await _prove(ctx, visit, method_id)


async def _prove(ctx: Context, visit: Visit, method_id: int) -> Response:
    await contact_checks.send_code(ctx, visit.call(None, user_id=visit.me.user_id, method_id=method_id))
    said = "Added. A notification with a code is on its way to this device: leave this page open for a moment."
    return redirect(ctx, f"{PROFILE}?code={method_id}#way-{method_id}", said)


ACTIONS: Mapping[str, Action] = {"add_device": add_device, "renew_device": renew_device}
