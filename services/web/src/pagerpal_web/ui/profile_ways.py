"""What can one do about how one is paged? Contact methods, their checks, and notification rules: for oneself alone."""

from collections.abc import Mapping

from pagerpal_common.long_tail import MESSENGERS, Allowed, Messenger
from pagerpal_common.vocabulary import Channel
from starlette.responses import Response

from pagerpal_web.api import contact_checks, notification_rules
from pagerpal_web.api import contact_methods as api
from pagerpal_web.context import Context
from pagerpal_web.ui.acting import Action, filled, number, part
from pagerpal_web.ui.forms import fit
from pagerpal_web.ui.html import redirect
from pagerpal_web.ui.pages import Visit

PROFILE = "/profile"

HOW: Mapping[Channel, str] = {
    Channel.SMS: "SMS",
    Channel.VOICE: "call",
    Channel.EMAIL: "mail",
    Channel.WEBHOOK: "webhook",
    Channel.SLACK: "chat message",
    Channel.APPRISE: "messenger",
}


def messengers(let_through: Allowed) -> list[Messenger]:
    """Those that may be added here, in order of their titles."""
    return sorted((MESSENGERS[name] for name in let_through.messengers), key=lambda one: one.title.lower())


async def add_method(ctx: Context, visit: Visit) -> api.CreatedContactMethod:
    """Add a contact method. What comes back is for the next page: a webhook's key is shown once."""
    body = filled(api.NewContactMethod, part(visit.form), "channel", "address", "label")
    return await api.create_contact_method(ctx, visit.call(body, user_id=visit.me.user_id))


async def send_code(ctx: Context, visit: Visit) -> Response:
    """Have a code sent, and ask for it."""
    method_id = number(visit.form, "about")
    method = await contact_checks.send_code(ctx, visit.call(None, user_id=visit.me.user_id, method_id=method_id))
    said = f"A code is on its way by {HOW[method.channel]}. It holds for ten minutes."
    return redirect(ctx, f"{PROFILE}?code={method_id}#way-{method_id}", said)


async def prove(ctx: Context, visit: Visit) -> Response:
    """Take the code that has come. Blanks in it are what telephones put there."""
    code = part(visit.form).text("code").replace(" ", "")
    body = fit(contact_checks.Proof, {"code": code})
    call = visit.call(body, user_id=visit.me.user_id, method_id=number(visit.form, "about"))
    await contact_checks.prove(ctx, call, code)
    return redirect(ctx, PROFILE, "Verified: what is sent there reaches you.")


async def send_test(ctx: Context, visit: Visit) -> Response:
    """Page oneself, for a test."""
    call = visit.call(None, user_id=visit.me.user_id, method_id=number(visit.form, "about"))
    method = await contact_checks.send_test_page(ctx, call)
    said = f"A test page is on its way by {HOW[method.channel]}. If it does not come, that way would not wake you."
    return redirect(ctx, PROFILE, said)


async def remove_method(ctx: Context, visit: Visit) -> Response:
    """Take a contact method away, unless a rule uses it."""
    call = visit.call(None, user_id=visit.me.user_id, method_id=number(visit.form, "about"))
    await api.delete_contact_method(ctx, call)
    return redirect(ctx, PROFILE, "Nothing is sent there any more.")


async def add_rule(ctx: Context, visit: Visit) -> Response:
    """Be paged by that way, too."""
    form = part(visit.form)
    values = form.given("severity", "contact_method_id", "delay_seconds")
    body = fit(notification_rules.NewRule, values)
    await notification_rules.create_rule(ctx, visit.call(body, user_id=visit.me.user_id))
    return redirect(ctx, PROFILE, "The rule holds from the next page on.")


async def remove_rule(ctx: Context, visit: Visit) -> Response:
    """Be paged by that way no longer."""
    call = visit.call(None, user_id=visit.me.user_id, rule_id=number(visit.form, "about"))
    await notification_rules.delete_rule(ctx, call)
    return redirect(ctx, PROFILE, "The rule is gone.")


ACTIONS: Mapping[str, Action] = {
    "send_code": send_code,
    "prove": prove,
    "send_test": send_test,
    "remove_method": remove_method,
    "add_rule": add_rule,
    "remove_rule": remove_rule,
}
