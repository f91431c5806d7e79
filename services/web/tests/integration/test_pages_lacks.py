"""Where no provider is set up, pages say that what is sent by it reaches nobody, to everybody who has to know."""

import pytest
from pagerpal_common.testing.rows import Rows

from .browser import browse, text_of
from .conftest import Web
from .test_pages_policies import a_policy

SERVED = {"sms": "infobip_sms", "voice": "infobip_voice", "email": "smtp", "webhook": "webhook", "slack": "slack"}
ABSENT = {**SERVED, "sms": "none", "voice": "none"}
CONSOLE = {**SERVED, "sms": "console", "voice": "console", "email": "console"}

WARNINGS = ("cannot be sent here", "no provider", "console", "Reaches nobody")


async def told(rows: Rows, providers: dict[str, str]) -> None:
    """As the notifier does."""
    for channel, provider in providers.items():
        await rows("INSERT INTO notification.channels VALUES (:channel, :provider)", channel=channel, provider=provider)


async def page(web: Web, path: str, who: str = "admin") -> str:
    return text_of(await (await browse(web, who)).get(path))


async def test_an_admin_is_told_on_the_dashboard_what_to_set(web: Web, rows: Rows) -> None:
    await told(rows, ABSENT)

    dashboard = await page(web, "/dashboard")

    assert "SMS and calls cannot be sent here: they are not sent, as no provider is configured." in dashboard
    assert "Set INFOBIP_BASE_URL and INFOBIP_API_KEY for the notifier" in dashboard
    assert "SMTP_URL" not in dashboard
    assert "INFOBIP" not in await page(web, "/dashboard", "viewer")
    assert "SMS Reaches nobody not sent, as no provider is configured" in await page(web, "/settings")


async def test_in_development_the_console_is_told_as_such(web: Web, rows: Rows) -> None:
    await told(rows, CONSOLE)

    dashboard = await page(web, "/dashboard")

    assert "SMS and calls cannot be sent here: they are only printed on the console, as in development." in dashboard
    assert "Mail cannot be sent here: it is only printed on the console, as in development." in dashboard
    assert "Set SMTP_URL for the notifier" in dashboard


async def test_everybody_is_told_on_their_profile_and_no_phone_is_said_to_ring(web: Web, rows: Rows) -> None:
    await told(rows, ABSENT)
    await rows("UPDATE directory.users SET phone = '+491701234567' WHERE name = 'viewer'")
    viewer = await browse(web, "viewer")

    profile = text_of(await viewer.get("/profile"))

    assert "Your profile Viewer Cannot be paged" in profile
    assert "SMS and calls cannot be sent here: they are not sent, as no provider is configured." in profile
    assert "An admin can set a provider up." in profile
    assert "SMS cannot be sent here: not sent, as no provider is configured." in profile
    assert "Mail cannot be sent here" not in profile
    assert "Add your phone number" not in profile, "it is not theirs to mend"


async def test_the_forecast_of_a_policy_says_which_notification_reaches_nobody(web: Web, rows: Rows) -> None:
    await told(rows, ABSENT)
    ana = await web.a_user(name="Ana", phone="+15550100001")
    policy = await a_policy(web, (5, [ana["id"]]))

    forecast = await page(web, f"/escalation-policies/{policy['id']}", "viewer")

    assert "SMS to Ana +15…0001 not sent: no provider" in forecast
    person = await page(web, f"/users/{ana['id']}")
    assert "Ana Responder Cannot be paged" in person


@pytest.mark.parametrize("path", ["/dashboard", "/profile", "/settings"])
@pytest.mark.parametrize("known", [{}, SERVED], ids=["nobody has told", "all are served"])
async def test_nothing_is_warned_of_that_nobody_has_told_or_that_is_served(
    web: Web, rows: Rows, path: str, known: dict[str, str]
) -> None:
    await told(rows, known)

    shown = await page(web, path)

    assert not [warning for warning in WARNINGS if warning in shown]
