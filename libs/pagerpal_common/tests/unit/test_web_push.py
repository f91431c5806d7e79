"""Which browsers pages may go to, by the URL of their push service and their keys."""

import json

import pytest
from pagerpal_common.web_push import Allowed, given, hosts_of, let_through

KEY = "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4"
SECRET = "BTBZMqHH6r4Tts7J_aSIgg"
ENDPOINT = "https://fcm.googleapis.com/fcm/send/canary:APA91b_-x"

GUARDED = Allowed(frozenset(), is_guarded=True)
OWN = Allowed(frozenset({"push.example.org", "127.0.0.1:8080"}), is_guarded=False)


def said(endpoint: str = ENDPOINT, key: str = KEY, secret: str = SECRET) -> str:
    """As a browser says it."""
    return json.dumps({"endpoint": endpoint, "expirationTime": None, "keys": {"p256dh": key, "auth": secret}})


def address(endpoint: str = ENDPOINT) -> str:
    return f"webpush+{endpoint}#{KEY}.{SECRET}"


def test_what_a_browser_says_is_one_address_and_read_from_it_again() -> None:
    subscription = given(said())

    assert subscription.address == address()
    assert let_through(address(), GUARDED) == subscription
    assert (len(subscription.public_key), len(subscription.secret)) == (65, 16)
    assert "canary" not in repr(subscription)


def test_padding_makes_no_other_address() -> None:
    assert given(said(key=f"{KEY}=", secret=f"{SECRET}==")).address == address()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "canary",
        "[" * 1500,
        "{}",
        said("ftp://fcm.googleapis.com/canary"),
        said("https://user:canary@fcm.googleapis.com/x"),
        said("https://fcm.googleapis.com"),
        said("https://fcm.googleapis.com/"),
        said("https://fcm.googleapis.com/x#canary"),
        said("https://fcm.googleapis.com\\@canary.example/x"),
        said("https://fcm.googleapis.com/canary\r\nHost: x"),
        said("https://fcm.googleapis.com/" + "canary" * 200),
        said("https:///canary"),
        said("//fcm.googleapis.com/canary"),
        said(key=""),
        said(key=KEY[:-2]),
        said(key="A" + KEY[1:]),
        said(key="*" * 87),
        said(secret=""),
        said(secret=SECRET[:-2]),
        said(secret=SECRET + "AA"),
        said(secret="canary" * 30),
        json.dumps({"endpoint": ENDPOINT, "keys": None}),
    ],
)
def test_what_is_no_subscription_is_refused_and_not_repeated(text: str) -> None:
    with pytest.raises(ValueError, match="this is no push subscription of a browser") as refused:
        given(text)

    assert "canary" not in str(refused.value)
    assert refused.value.__cause__ is None


@pytest.mark.parametrize(
    "host",
    [
        "fcm.googleapis.com",
        "FCM.googleapis.com:443",
        "updates.push.services.mozilla.com",
        "web.push.apple.com",
        "wns2-by3p.notify.windows.com",
    ],
)
def test_the_push_services_of_browsers_are_let_through(host: str) -> None:
    assert let_through(address(f"https://{host}/x?token=y%3d"), GUARDED).endpoint == f"https://{host}/x?token=y%3d"


@pytest.mark.parametrize(
    "host",
    [
        "example.org",
        "localhost",
        "127.0.0.1",
        "169.254.169.254",
        "googleapis.com",
        "evil-fcm.googleapis.com",
        "fcm.googleapis.com.example.org",
        "fcm.googleapis.com:8443",
        "push.apple.com",
        "evilpush.apple.com",
        "push.services.mozilla.com.example.org",
        "notify.windows.com",
    ],
)
def test_anywhere_else_nothing_is_posted(host: str) -> None:
    with pytest.raises(ValueError, match="PAGERPAL_WEB_PUSH_HOSTS") as refused:
        let_through(address(f"https://{host}/canary"), GUARDED)

    assert "canary" not in str(refused.value)


def test_a_host_of_ones_own_is_let_through_as_it_is_named_and_without_tls_for_those_who_develop_alone() -> None:
    own = Allowed(OWN.hosts, is_guarded=True)

    assert let_through(address("https://push.example.org/x"), own).endpoint == "https://push.example.org/x"
    assert let_through(address("http://127.0.0.1:8080/x"), OWN).endpoint == "http://127.0.0.1:8080/x"
    for endpoint, allowed in (
        ("http://127.0.0.1:8080/x", own),
        ("http://fcm.googleapis.com/x", OWN),
        ("http://fcm.googleapis.com/x", own),
    ):
        with pytest.raises(ValueError, match="not reached by TLS"):
            let_through(address(endpoint), allowed)


@pytest.mark.parametrize(
    "text", ["", "canary", said(), address()[:-1], address() + "x", "https://fcm.googleapis.com/x"]
)
def test_an_address_of_another_kind_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="no push subscription"):
        let_through(text, GUARDED)


def test_hosts_are_named_with_commas_between_them() -> None:
    assert hosts_of(" push.example.org, Push.example.net:443,127.0.0.1:8080,") == {
        "push.example.org",
        "push.example.net",
        "127.0.0.1:8080",
    }
    for wrong in ("https://canary.example.org", "*.canary.example.org", "a b", "canary:0"):
        with pytest.raises(ValueError, match="hosts with commas") as refused:
            hosts_of(wrong)
        assert "canary" not in str(refused.value)
