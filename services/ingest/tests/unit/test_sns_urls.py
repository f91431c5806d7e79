"""Which URLs may be fetched? The list of what went wrong elsewhere, and more of the kind."""

from urllib.parse import quote

import pytest
from pagerpal_common.errors import Forbidden, Invalid
from pagerpal_ingest.domain.sns import Kind, SnsMessage
from pagerpal_ingest.domain.sns_urls import certificate_url, confirmation_url

from services.ingest.tests.fake_amazon import CERTIFICATE, CONFIRM, OTHER_TOPIC, TOKEN, TOPIC

EAST = "arn:aws:sns:us-east-1:123456789012:alarms"
CHINA = "arn:aws-cn:sns:cn-north-1:123456789012:alarms"
GOVERNMENT = "arn:aws-us-gov:sns:us-gov-west-1:123456789012:alarms"
EUROPE = "arn:aws-eusc:sns:eusc-de-east-1:123456789012:alarms"

QUERY = f"?Action=ConfirmSubscription&TopicArn={EAST}&Token={TOKEN}"
PEM = "SimpleNotificationService-0123456789abcdef0123456789abcdef.pem"


def confirming(url: str | None, topic: str | None = EAST) -> SnsMessage:
    return SnsMessage(Kind.SUBSCRIPTION, "You have chosen", topic_arn=topic, subscribe_url=url)


def signed_with(url: str | None, topic: str | None = EAST) -> SnsMessage:
    return SnsMessage(Kind.NOTIFICATION, "x", topic_arn=topic, signature="x", signing_cert_url=url)


@pytest.mark.parametrize(
    ("topic", "host"),
    [
        (EAST, "sns.us-east-1.amazonaws.com"),
        (TOPIC, "sns.eu-west-1.amazonaws.com"),
        (GOVERNMENT, "sns.us-gov-west-1.amazonaws.com"),
        (CHINA, "sns.cn-north-1.amazonaws.com.cn"),
        (EUROPE, "sns.eusc-de-east-1.amazonaws.eu"),
    ],
)
def test_the_topic_s_own_host_is_accepted_in_every_partition(topic: str, host: str) -> None:
    url = f"https://{host}/?Action=ConfirmSubscription&TopicArn={topic}&Token={TOKEN}"

    assert confirmation_url(confirming(url, topic)) == url
    assert certificate_url(signed_with(f"https://{host}/{PEM}", topic)) == f"https://{host}/{PEM}"


@pytest.mark.parametrize(
    "url",
    [
        f"https://sns.us-east-1.amazonaws.com/{QUERY}",
        f"https://sns.us-east-1.amazonaws.com:443/{QUERY}",
        f"https://SNS.US-EAST-1.AmazonAWS.com/{QUERY}",
        f"https://sns.us-east-1.amazonaws.com/?Token={TOKEN}&TopicArn={EAST}&Action=ConfirmSubscription",
        f"https://sns.us-east-1.amazonaws.com/{QUERY}&AuthenticateOnUnsubscribe=true",
        f"https://sns.us-east-1.amazonaws.com/{QUERY.replace(EAST, quote(EAST, safe=''))}",
    ],
)
def test_however_it_is_written_what_is_fetched_is_put_together_anew(url: str) -> None:
    assert confirmation_url(confirming(url)) == f"https://sns.us-east-1.amazonaws.com/{QUERY}"


HOSTS = [
    "http://sns.us-east-1.amazonaws.com",
    "ftp://sns.us-east-1.amazonaws.com",
    "//sns.us-east-1.amazonaws.com",
    "sns.us-east-1.amazonaws.com",
    "https:sns.us-east-1.amazonaws.com",
    "https:///sns.us-east-1.amazonaws.com",
    "https://sns.evil.amazonaws.com.attacker.com",
    "https://sns.us-east-1.amazonaws.com.attacker.com",
    "https://sns.evilamazonaws.com",
    "https://sns.us-east-1.evilamazonaws.com",
    "https://sns-us-east-1.amazonaws.com",
    "https://evil.sns.us-east-1.amazonaws.com",
    "https://xsns.us-east-1.amazonaws.com",
    "https://bucket.s3.amazonaws.com",
    "https://sns.s3.amazonaws.com",
    "https://sns.us-east-1.s3.amazonaws.com",
    "https://sns.amazonaws.com",
    "https://sns..amazonaws.com",
    "https://sns.us-east-1.amazonaws.com@evil.example",
    "https://evil@sns.us-east-1.amazonaws.com",
    "https://evil:x@sns.us-east-1.amazonaws.com",
    "https://@sns.us-east-1.amazonaws.com",
    "https://sns.us-east-1.amazonaws.com:8443",
    "https://sns.us-east-1.amazonaws.com:80",
    "https://sns.us-east-1.amazonaws.com:",
    "https://sns.us-east-1.amazonaws.com:0443",
    "https://sns.us-east-1.amazonaws.com:443:443",
    "https://sns.us-east-1.amazonaws.com:99999",
    "https://sns.us-east-1.amazonaws.com.",
    "https://sns.us-east-1.amazonaws.com%2eevil.example",
    "https://sns.us-east-1.amazonaws.com%00.evil.example",
    "https://sns%2eus-east-1.amazonaws.com",
    "https://sns.us-east-1.amazonaws.com\n",
    "https://sns.us-east-1.amazonaws.com\t",
    "https://sns.us-east-1.amazonaws.com\r\nHost: evil.example",
    "https://sns.us-east-1.\namazonaws.com",
    " https://sns.us-east-1.amazonaws.com",
    "\x00https://sns.us-east-1.amazonaws.com",
    "https://sns.us-east-1.amazonaws.com\\.evil.example",
    "https://evil.example\\@sns.us-east-1.amazonaws.com",
    "https:\\\\sns.us-east-1.amazonaws.com",
    "https://sns\uff0eus-east-1\uff0eamazonaws\uff0ecom",
    "https://sns.us-east-1.amazonaws\u3002com",
    "https://\u017fns.us-east-1.amazonaws.com",
    "https://sns.us-east-1.amazonaws.com\u200b",
    "https://sn\u017f.us-east-1.amazonaws.com",
    "https://xn--sns-1ga.us-east-1.amazonaws.com",
    "https://127.0.0.1",
    "https://169.254.169.254",
    "https://2130706433",
    "https://0x7f.1",
    "https://[::1]",
    "https://[::ffff:169.254.169.254]",
    "https://[sns.us-east-1.amazonaws.com]",
    "https://[",
    "https://localhost",
    "https://sns.us-east-1.amazonaws.com.cn",
    "https://sns.us-east-1.amazonaws.eu",
    "https://sns.cn-north-1.amazonaws.com.cn",
    "https://sns.us-east-2.amazonaws.com",
    "https://sns.us-gov-west-1.amazonaws.com",
    "https://sns.us-east-1.amazonaws.com#@evil.example",
    "https://sns.us-east-1.amazonaws.com?@evil.example",
    "https://evil.example#sns.us-east-1.amazonaws.com",
    "https://evil.example?sns.us-east-1.amazonaws.com",
    "https://evil.example/sns.us-east-1.amazonaws.com",
]


@pytest.mark.parametrize("host", HOSTS)
def test_no_other_host_is_asked_for_anything(host: str) -> None:
    with pytest.raises(Invalid):
        confirmation_url(confirming(f"{host}/{QUERY}"))
    with pytest.raises(Forbidden):
        certificate_url(signed_with(f"{host}/{PEM}"))


@pytest.mark.parametrize(
    "url",
    [
        None,
        "",
        "data:text/html,x",
        "file:///etc/passwd",
        "gopher://sns.us-east-1.amazonaws.com/",
        "javascript:alert(1)",
        "https://sns.us-east-1.amazonaws.com",
        "https://sns.us-east-1.amazonaws.com/",
        f"https://sns.us-east-1.amazonaws.com{QUERY}",
        f"https://sns.us-east-1.amazonaws.com//{QUERY}",
        f"https://sns.us-east-1.amazonaws.com/x{QUERY}",
        f"https://sns.us-east-1.amazonaws.com/..{QUERY}",
        f"https://sns.us-east-1.amazonaws.com/;x{QUERY}",
        f"https://sns.us-east-1.amazonaws.com/%2f{QUERY}",
        f"https://sns.us-east-1.amazonaws.com/{QUERY}#x",
        f"https://sns.us-east-1.amazonaws.com/{QUERY}\n",
        f"https://sns.us-east-1.amazonaws.com/{QUERY}&Action=Publish",
        f"https://sns.us-east-1.amazonaws.com/{QUERY}&Token={TOKEN}",
        f"https://sns.us-east-1.amazonaws.com/{QUERY}&x",
        f"https://sns.us-east-1.amazonaws.com/{QUERY}{'&x=1' * 20}",
        f"https://sns.us-east-1.amazonaws.com/{QUERY}{'x' * 4096}",
        f"https://sns.us-east-1.amazonaws.com/?Action=Publish&TopicArn={EAST}&Token={TOKEN}",
        f"https://sns.us-east-1.amazonaws.com/?Action=confirmsubscription&TopicArn={EAST}&Token={TOKEN}",
        f"https://sns.us-east-1.amazonaws.com/?TopicArn={EAST}&Token={TOKEN}",
        f"https://sns.us-east-1.amazonaws.com/?Action=ConfirmSubscription&Token={TOKEN}",
        f"https://sns.us-east-1.amazonaws.com/?Action=ConfirmSubscription&TopicArn={OTHER_TOPIC}&Token={TOKEN}",
        f"https://sns.us-east-1.amazonaws.com/?Action=ConfirmSubscription&TopicArn={EAST}x&Token={TOKEN}",
        f"https://sns.us-east-1.amazonaws.com/?Action=ConfirmSubscription&TopicArn={EAST}",
        f"https://sns.us-east-1.amazonaws.com/?Action=ConfirmSubscription&TopicArn={EAST}&Token=",
        f"https://sns.us-east-1.amazonaws.com/?Action=ConfirmSubscription&TopicArn={EAST}&Token=%20",
        f"https://sns.us-east-1.amazonaws.com/?Action=ConfirmSubscription&TopicArn={EAST}&Token=a%26Action%3DPublish",
    ],
)
def test_only_the_confirmation_of_the_message_s_own_topic_is_fetched(url: str | None) -> None:
    with pytest.raises(Invalid):
        confirmation_url(confirming(url))


@pytest.mark.parametrize(
    "url",
    [
        None,
        "",
        "EXAMPLE",
        "<cert-domain>/SimpleNotificationService-<signing-cert-file:1>",
        "https://sns.us-east-1.amazonaws.com/",
        f"https://sns.us-east-1.amazonaws.com{PEM}",
        f"https://sns.us-east-1.amazonaws.com//{PEM}",
        f"https://sns.us-east-1.amazonaws.com/x/{PEM}",
        f"https://sns.us-east-1.amazonaws.com/../{PEM}",
        f"https://sns.us-east-1.amazonaws.com/{PEM}/",
        f"https://sns.us-east-1.amazonaws.com/{PEM};x",
        f"https://sns.us-east-1.amazonaws.com/{PEM}%00",
        f"https://sns.us-east-1.amazonaws.com/{PEM}\n",
        f"https://sns.us-east-1.amazonaws.com/{PEM}#x",
        f"https://sns.us-east-1.amazonaws.com/{PEM}?",
        f"https://sns.us-east-1.amazonaws.com/{PEM}?x=1",
        f"https://sns.us-east-1.amazonaws.com/?Action=ListTopics&x=/{PEM}",
        f"https://sns.us-east-1.amazonaws.com/?Action=GetTopicAttributes&TopicArn={EAST}&.pem",
        f"https://sns.us-east-1.amazonaws.com/{PEM.lower()}",
        f"https://sns.us-east-1.amazonaws.com/{PEM.replace('0123', 'ABCD')}",
        f"https://sns.us-east-1.amazonaws.com/{PEM.replace('0123', '')}",
        f"https://sns.us-east-1.amazonaws.com/{PEM.replace('0123', '0123' * 2)}",
        f"https://sns.us-east-1.amazonaws.com/{PEM.replace('.pem', 'xpem')}",
        "https://sns.us-east-1.amazonaws.com/evil.pem",
    ],
)
def test_only_a_signing_certificate_is_fetched_as_one(url: str | None) -> None:
    with pytest.raises(Forbidden):
        certificate_url(signed_with(url))


@pytest.mark.parametrize("topic", [None, "", "arn:aws:sns:EXAMPLE", "arn:aws-cn:sns:eu-west-1:123456789012:alarms"])
def test_without_a_real_topic_nothing_is_fetched(topic: str | None) -> None:
    with pytest.raises(Invalid, match="TopicArn"):
        confirmation_url(confirming(CONFIRM, topic))
    with pytest.raises(Forbidden, match="topic"):
        certificate_url(signed_with(CERTIFICATE, topic))


def test_a_refusal_does_not_repeat_what_was_sent() -> None:
    with pytest.raises(Invalid) as refused:
        confirmation_url(confirming(f"https://evil.example/{QUERY}"))

    assert "evil" not in refused.value.detail
    assert TOKEN not in refused.value.detail
