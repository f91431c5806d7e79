"""Is the fake provider strict enough to be believed?"""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.e2e.fake_infobip import API_KEY, Behaviour, FakeInfobip, fake_infobip

SMS: dict[str, Any] = {
    "messages": [
        {
            "sender": "PagerPal",
            "destinations": [{"to": "4915112345678", "messageId": "m-1"}],
            "content": {"text": "CRITICAL #1: disk full"},
        }
    ]
}


@pytest.fixture
def infobip() -> Iterator[FakeInfobip]:
    with fake_infobip() as running:
        yield running


async def post(infobip: FakeInfobip, body: Any, key: str = API_KEY, path: str = "/sms/3/messages") -> httpx.Response:
    async with httpx.AsyncClient(base_url=infobip.url, headers={"Authorization": f"App {key}"}) as client:
        return await client.post(path, json=body)


async def test_a_good_request_is_taken_and_kept(infobip: FakeInfobip) -> None:
    answer = await post(infobip, SMS)

    assert answer.json()["messages"][0]["status"]["name"] == "PENDING_ACCEPTED"
    assert [page.text for _, page in infobip.pages()] == ["CRITICAL #1: disk full"]
    assert infobip.violations == []


async def test_a_call_is_taken(infobip: FakeInfobip) -> None:
    call = {"messages": [{"destinations": [{"to": "4915112345678", "messageId": "c-1"}], "text": "hello"}]}

    answer = await post(infobip, call, path="/tts/3/advanced")

    assert answer.status_code == 200
    assert [page.kind for _, page in infobip.pages()] == ["call"]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"content": {"txt": "misspelt"}}, "content"),
        ({"contents": {"text": "an unknown field"}}, "contents"),
        ({"destinations": [{"messageId": "m-1"}]}, "'to' is a required property"),
        ({"destinations": [{"to": "4915112345678"}]}, "no messageId"),
        ({"destinations": [{"to": "+4915112345678", "messageId": "m-1"}]}, "digits"),
        ({"destinations": 2 * [{"to": "4915112345678", "messageId": "m-1"}]}, "2 destinations"),
    ],
)
async def test_a_request_beside_the_specification_is_a_violation(
    infobip: FakeInfobip, change: dict[str, Any], said: str
) -> None:
    answer = await post(infobip, {"messages": [{**SMS["messages"][0], **change}]})

    assert answer.status_code == 400
    assert said in " ".join(infobip.violations)
    assert infobip.pages() == []


async def test_a_wrong_key_is_a_violation(infobip: FakeInfobip) -> None:
    await post(infobip, SMS, key="another")

    assert infobip.violations == ["sms: wrong Authorization header"]


async def test_a_message_id_that_comes_again_is_refused_and_rings_no_second_time(infobip: FakeInfobip) -> None:
    await post(infobip, SMS)
    again = await post(infobip, SMS)

    assert again.json()["messages"][0]["status"]["id"] == 23
    assert len(infobip.pages()) == 1


async def test_it_does_as_scripted_and_then_accepts(infobip: FakeInfobip) -> None:
    infobip.will("+4915112345678", Behaviour.UNAVAILABLE, Behaviour.TOO_MANY, Behaviour.DROP)

    assert (await post(infobip, SMS)).status_code == 503
    assert (await post(infobip, SMS)).status_code == 429
    with pytest.raises(httpx.RemoteProtocolError):
        await post(infobip, SMS)
    assert (await post(infobip, SMS)).json()["messages"][0]["status"]["id"] == 23

    assert [one.is_taken for one in infobip.asked] == [False, False, True, False]
