"""What can one do about how one is paged? Contact methods, their checks, and notification rules: for oneself alone."""

from collections.abc import Mapping

from pagerpal_common.directory import addressee, find_contacts
from pagerpal_common.errors import Invalid
from pagerpal_common.long_tail import MESSENGERS, Allowed, Messenger
from pagerpal_common.vocabulary import Channel
from starlette.responses import Response

from pagerpal_web.api import contact_checks, notification_rules
from pagerpal_web.api import contact_methods as api
from pagerpal_web.api.rows import Page as Stretch
from pagerpal_web.context import Context
from pagerpal_web.domain.own_rules import Addition, additions
from pagerpal_web.ui.acting import Action, filled, number, part
from pagerpal_web.ui.forms import fit
from pagerpal_web.ui.html import redirect
from pagerpal_web.ui.pages import Visit

PROFILE = "/profile"

EVERYTHING = Stretch(limit=1000, after=0)

HOW: Mapping[Channel, str] = {
    Channel.SMS: "SMS",
    Channel.VOICE: "call",
    Channel.EMAIL: "mail",
    Channel.WEBHOOK: "webhook",
    Channel.SLACK: "chat message",
    Channel.APPRISE: "messenger",
    Channel.WEB_PUSH: "push notification",
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
    said = f"A code is on its way by {HOW[method.channel]}. It is valid for 10 minutes."
    return redirect(ctx, f"{PROFILE}?code={method_id}#way-{method_id}", said)


async def prove(ctx: Context, visit: Visit) -> Response:
    """Take the code that has come. Blanks in it are what telephones put there."""
    code = part(visit.form).text("code").replace(" ", "")
    body = fit(contact_checks.Proof, {"code": code})
    call = visit.call(body, user_id=visit.me.user_id, method_id=number(visit.form, "about"))
    await contact_checks.prove(ctx, call, code)
    method_id = call.ids["method_id"]
    said = "Verified. No rule uses it yet: add the usual rules for it below, or one of your own."
    return redirect(ctx, f"{PROFILE}#way-{method_id}", said)


async def use_method(ctx: Context, visit: Visit) -> Response:
    """Have every page go that way, too, as the default rules would. Raises Invalid when it is not verified."""
    me, method_id = visit.me.user_id, number(visit.form, "about")
    method = await api.get_contact_method(ctx, visit.call(None, user_id=me, method_id=method_id))
    if not method.is_verified:
        raise Invalid("Verify it first: a page that went there might reach somebody else.")
    rules = await notification_rules.list_rules(ctx, visit.call(EVERYTHING, user_id=me))
    async with ctx.db.begin() as tx:
        person = addressee((await find_contacts(tx, [me])).get(me))
    has_phone = person is not None and person.has_phone
    for one in additions(method_id, method.channel, {rule.severity for rule in rules}, has_phone=has_phone):
        await notification_rules.create_rule(ctx, visit.call(_rule(one), user_id=me))
    return redirect(ctx, f"{PROFILE}#rules", f"Every page goes there by {HOW[method.channel]}, too.")


def _rule(one: Addition) -> notification_rules.NewRule:
    way = {"channel": one.channel} if one.method_id is None else {"contact_method_id": one.method_id}
    delay_seconds = int(one.delay.total_seconds())
    return fit(notification_rules.NewRule, {"severity": one.severity, "delay_seconds": delay_seconds, **way})


async def send_test(ctx: Context, visit: Visit) -> Response:
    """Page oneself, for a test."""
    call = visit.call(None, user_id=visit.me.user_id, method_id=number(visit.form, "about"))
    method = await contact_checks.send_test_page(ctx, call)
    said = f"A test page is on its way by {HOW[method.channel]}. If it does not arrive, pages will not reach you there."
    return redirect(ctx, PROFILE, said)


async def remove_method(ctx: Context, visit: Visit) -> Response:
    """Take a contact method away, unless a rule uses it."""
    call = visit.call(None, user_id=visit.me.user_id, method_id=number(visit.form, "about"))
    await api.delete_contact_method(ctx, call)
    return redirect(ctx, PROFILE, "Contact method removed.")


async def add_rule(ctx: Context, visit: Visit) -> Response:
    """Be paged by that way, too."""
    form = part(visit.form)
    values = form.given("severity", "contact_method_id", "delay_seconds")
    body = fit(notification_rules.NewRule, values)
    await notification_rules.create_rule(ctx, visit.call(body, user_id=visit.me.user_id))
    return redirect(ctx, PROFILE, "Rule added.")


async def remove_rule(ctx: Context, visit: Visit) -> Response:
    """Be paged by that way no longer."""
    call = visit.call(None, user_id=visit.me.user_id, rule_id=number(visit.form, "about"))
    await notification_rules.delete_rule(ctx, call)
    return redirect(ctx, PROFILE, "Rule removed.")


ACTIONS: Mapping[str, Action] = {
    "send_code": send_code,
    "prove": prove,
    "use_method": use_method,
    "send_test": send_test,
    "remove_method": remove_method,
    "add_rule": add_rule,
    "remove_rule": remove_rule,
}
