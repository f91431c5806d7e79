"""How messages to browsers are sealed and signed, what they say, and what push services' answers mean."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from cryptography.exceptions import InvalidSignature
from hypothesis import given, settings
from hypothesis import strategies as st
from pagerpal_common.config import ConfigError, load
from pagerpal_common.testing.browser import PUSH_KEY, FakeBrowser, checked, decoded, encoded, key_of
from pagerpal_common.vocabulary import Severity
from pagerpal_common.web_push import given as given_subscription
from pagerpal_notifier.channels import web_push
from pagerpal_notifier.channels.outward import Answer
from pagerpal_notifier.channels.web_push.words import notification, topic_of
from pagerpal_notifier.domain.delivery import Verdict
from pagerpal_notifier.domain.page import Digest, Page
from pagerpal_notifier.domain.proof import code_notice, trial_notice
from pagerpal_notifier.domain.sealing import authorization, private_key, public_text, seal, sealed_with
from pagerpal_notifier.settings import NotifierSettings

ENDPOINT = "https://updates.push.services.mozilla.com/wpush/v2/canary"
T0 = datetime(2026, 5, 21, 3, tzinfo=UTC)
PAGE = Page(42, Severity.CRITICAL, "Disk full on db1", "98 % used", ("policy 'Base', level 1",), 1, "Bo")
LARGEST = 2**63 - 1

# RFC 8291, Appendix A.
RFC_BROWSER = FakeBrowser(
    ENDPOINT, key=key_of("q1dXpw3UpT5VOmu_cf_v6ih07Aems3njxI-JWgLcM94"), secret=decoded("BTBZMqHH6r4Tts7J_aSIgg")
)
RFC_BODY = (
    "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A_"
    "yl95bQpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN"
)


def test_the_example_of_the_rfc_is_sealed_to_the_byte() -> None:
    to = given_subscription(RFC_BROWSER.subscription())
    salt = decoded("DGv6ra1nlYgDCS1FRnbzlw")

    body = sealed_with(b"When I grow up, I want to be a watermelon", to, key=private_key(PUSH_KEY), salt=salt)

    assert encoded(body) == RFC_BODY
    assert RFC_BROWSER.opened(decoded(RFC_BODY)) == b"When I grow up, I want to be a watermelon"


@settings(max_examples=30)
@given(st.binary(max_size=3993))
def test_what_is_sealed_the_browser_opens_and_it_never_looks_the_same(content: bytes) -> None:
    browser = FakeBrowser(ENDPOINT)
    to = given_subscription(browser.subscription())

    once, again = seal(content, to), seal(content, to)

    assert browser.opened(once) == browser.opened(again) == content
    assert (once[:16] != again[:16], once[21:86] != again[21:86]) == (True, True), "salt and key are used once"
    assert len(once) <= 4096


def test_too_much_for_one_record_is_refused() -> None:
    with pytest.raises(ValueError, match="too long"):
        seal(b"x" * 3994, given_subscription(FakeBrowser(ENDPOINT).subscription()))


def test_a_key_that_is_no_point_of_the_curve_is_refused() -> None:
    browser = FakeBrowser(ENDPOINT)
    browser.public_key = b"\x04" + b"\x01" * 64

    with pytest.raises(ValueError, match=r"."):
        seal(b"x", given_subscription(browser.subscription()))


def test_a_push_service_can_tell_that_it_is_us_who_write_and_only_to_it_and_only_today() -> None:
    said = authorization(private_key(PUSH_KEY), ENDPOINT, contact="https://pagerpal.example.org", now=T0)

    signed = checked(said)

    assert signed.header == {"typ": "JWT", "alg": "ES256"}
    assert signed.claims == {
        "aud": "https://updates.push.services.mozilla.com",
        "exp": int((T0 + timedelta(hours=12)).timestamp()),
        "sub": "https://pagerpal.example.org",
    }
    assert signed.key == public_text(private_key(PUSH_KEY))
    token, key = said.removeprefix("vapid t=").split(", k=")
    head, claims, signature = token.split(".")
    forged = encoded(json.dumps({**json.loads(decoded(claims)), "aud": "https://example.org"}).encode())
    with pytest.raises(InvalidSignature):
        checked(f"vapid t={head}.{forged}.{signature}, k={key}")


def test_without_an_address_of_our_own_none_is_given() -> None:
    said = checked(authorization(private_key(PUSH_KEY), "http://127.0.0.1:8080/x", contact=None, now=T0))

    assert said.claims == {"aud": "http://127.0.0.1:8080", "exp": int((T0 + timedelta(hours=12)).timestamp())}


def test_the_public_key_is_the_one_that_belongs_to_it() -> None:
    assert public_text(private_key(PUSH_KEY)) == (
        "BP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A8"
    )


@pytest.mark.parametrize("text", [PUSH_KEY, f"{PUSH_KEY}=", PUSH_KEY.replace("-", "+").replace("_", "/") + "="])
def test_the_key_is_read_as_openssl_and_other_tools_write_it(text: str) -> None:
    key = load(NotifierSettings, {"PAGERPAL_WEB_PUSH_KEY": text}).web_push_key

    assert key is not None
    assert public_text(private_key(key.get_secret_value())) == public_text(private_key(PUSH_KEY))


@pytest.mark.parametrize(
    "text", ["canary", "canary" * 8, PUSH_KEY[:-1], f"{PUSH_KEY}A", "A" * 43, "_" * 42 + "8", "c nary" * 7 + "c"]
)
def test_a_key_that_is_none_stops_the_start_and_is_not_repeated(text: str) -> None:
    with pytest.raises(ConfigError, match="PAGERPAL_WEB_PUSH_KEY") as refused:
        load(NotifierSettings, {"PAGERPAL_WEB_PUSH_KEY": text})

    assert "canary" not in str(refused.value)


def test_without_a_key_nobody_is_notified_so() -> None:
    assert web_push.provider(load(NotifierSettings, {}), lambda: T0) is None


def test_a_notification_says_what_is_wrong_and_where_to_answer() -> None:
    page = replace(PAGE, level=2, ack_link="https://pagerpal.example.org/a/token", delayed=3)

    assert json.loads(notification(page)) == {
        "title": "CRITICAL #42: Disk full on db1",
        "body": "Escalation level 2. Next: Bo. Delayed 3 min.",
        "path": "/incidents/42",
        "tag": "incident-42",
        "ack": "/a/token",
    }
    assert "ack" not in json.loads(notification(PAGE))


def test_several_incidents_are_named_in_one_notification_that_nothing_replaces() -> None:
    digest = Digest(tuple(replace(PAGE, incident_id=number) for number in range(1, 6)), 7, Severity.CRITICAL)

    said = json.loads(notification(digest))

    assert said["title"] == "CRITICAL: 7 incidents"
    assert said["body"].splitlines()[0] == "#1 Disk full on db1"
    assert said["body"].splitlines()[-1] == "and 3 more"
    assert (said["path"], "tag" in said, topic_of(digest)) == ("/incidents", False, None)


def test_a_code_can_be_taken_by_the_page_and_a_test_page_has_none() -> None:
    code, trial = json.loads(notification(code_notice("123456"))), json.loads(notification(trial_notice()))

    assert (code["code"], code["path"], code["tag"]) == ("123456", "/profile", "notice")
    assert "123456" in code["body"]
    assert "code" not in trial
    assert trial["title"].startswith("Test page")
    assert "123456" not in repr(code_notice("123456"))


def test_pages_of_one_incident_share_a_topic_that_push_services_take() -> None:
    topic = topic_of(replace(PAGE, incident_id=LARGEST))

    assert topic == f"incident-{LARGEST}"
    assert len(topic) <= 32, "RFC 8030, 5.4"


@given(st.text(min_size=200, max_size=400), st.text(min_size=200, max_size=400))
def test_no_text_of_an_alert_makes_a_message_too_large(title: str, next_up: str) -> None:
    page = replace(PAGE, incident_id=LARGEST, title=title, next_up=next_up, ack_link="https://x/" + "a" * 110)
    digest = Digest((page,) * 5, 10**6, Severity.CRITICAL)

    assert len(notification(page)) <= 3000
    assert len(notification(digest)) <= 3000


@pytest.mark.parametrize("letter", ["\U0001f525", '"', "\\", "ß"])
def test_nor_do_its_widest_letters(letter: str) -> None:
    page = replace(PAGE, title=letter * 1000, next_up=letter * 1000, ack_link="https://x/" + "a" * 110)

    assert len(notification(page)) <= 3000
    assert len(notification(Digest((page,) * 5, 10**6, Severity.CRITICAL))) <= 3000


@pytest.mark.parametrize(
    ("status", "verdict", "has_ended"),
    [
        (200, Verdict.ACCEPTED, False),
        (201, Verdict.ACCEPTED, False),
        (202, Verdict.ACCEPTED, False),
        (301, Verdict.REFUSED, False),
        (400, Verdict.REFUSED, False),
        (401, Verdict.REFUSED, False),
        (403, Verdict.REFUSED, False),
        (404, Verdict.REFUSED, True),
        (408, Verdict.UNKNOWN, False),
        (410, Verdict.REFUSED, True),
        (413, Verdict.REFUSED, False),
        (429, Verdict.DEFERRED, False),
        (500, Verdict.UNKNOWN, False),
        (502, Verdict.UNKNOWN, False),
        (503, Verdict.UNKNOWN, False),
    ],
)
def test_the_status_decides(status: int, verdict: Verdict, has_ended: bool) -> None:
    outcome = web_push.read(Answer(status, "canary", "9"))

    assert (outcome.verdict, outcome.has_ended) == (verdict, has_ended)
    assert outcome.wait == timedelta(seconds=9 if verdict in {Verdict.UNKNOWN, Verdict.DEFERRED} else 0)
    assert "canary" not in outcome.detail
