"""Who gets a link that acknowledges with one tap, and who does not?"""

import re
from dataclasses import replace

import pytest
from pagerpal_common.ack_links import ack_key, read
from pagerpal_common.config import load
from pagerpal_notifier.links import linking
from pagerpal_notifier.loops import send, take_up
from pagerpal_notifier.settings import NotifierSettings

from services.notifier.tests.integration.fake_infobip import FakeInfobip
from services.notifier.tests.integration.fake_smtp import FakeSmtp
from services.notifier.tests.integration.world import PHONE, World

SECRET = "planted-" + "links" * 6
PUBLIC_URL = "https://pagerpal.example.com"


@pytest.fixture
def world(world: World) -> World:
    """With the secret key that web has, too."""
    settings = load(NotifierSettings, {"PAGERPAL_SECRET_KEY": SECRET, "PAGERPAL_PUBLIC_URL": PUBLIC_URL})
    world.ctx = replace(world.ctx, link=linking(settings))
    return world


def links_in(text: str) -> list[str]:
    return re.findall(rf"{PUBLIC_URL}/a/([\w-]+)", text)


async def page(world: World, *, phone: str | None = PHONE) -> tuple[int, int]:
    """Somebody is paged; the incident's id, and theirs."""
    user_id, incident_id = await world.user(phone=phone), await world.incident()
    await world.page_request(incident_id, user_id)
    await take_up(world.ctx)
    await send(world.ctx)
    await world.ctx.in_flight.finish()
    return incident_id, user_id


async def test_an_sms_carries_a_link_for_its_person_and_incident(world: World, infobip: FakeInfobip) -> None:
    incident_id, user_id = await page(world)

    (token,) = links_in(infobip.taken[0].text)
    link = read(token, [ack_key(SECRET.encode())])
    assert link is not None
    (run,) = await world.rows("SELECT escalation_id FROM incidents.incidents WHERE id = :id", id=incident_id)
    assert (link.incident_id, link.user_id, link.escalation_id) == (incident_id, user_id, run["escalation_id"])


async def test_a_mail_carries_it_as_its_button(world: World, smtp: FakeSmtp) -> None:
    await page(world, phone=None)

    html = smtp.mails[0].get_body(("html",))
    assert html is not None
    assert len(links_in(html.get_content())) == 1


async def test_the_link_is_in_no_row_and_in_no_log(
    world: World, infobip: FakeInfobip, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    await page(world)

    (token,) = links_in(infobip.taken[0].text)
    rows = [str(row) for row in await world.rows("SELECT * FROM notification.notifications")]
    rows += [str(row) for row in await world.rows("SELECT * FROM notification.attempts")]
    assert rows
    assert token not in "".join(rows)
    assert token not in caplog.text


async def test_without_a_secret_key_the_link_is_that_of_the_incident(world: World, infobip: FakeInfobip) -> None:
    world.ctx = replace(world.ctx, link=linking(load(NotifierSettings, {"PAGERPAL_PUBLIC_URL": PUBLIC_URL})))

    incident_id, _ = await page(world)

    assert infobip.taken[0].text.endswith(f"{PUBLIC_URL}/incidents/{incident_id}")
