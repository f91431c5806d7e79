"""Where does an ARN say that a thing is, and which hosts speak for that place?"""

import pytest
from pagerpal_ingest.domain.arn import console, parse_arn, parse_topic, sns_host


@pytest.mark.parametrize(
    ("topic", "host"),
    [
        ("arn:aws:sns:us-east-1:123456789012:alarms", "sns.us-east-1.amazonaws.com"),
        ("arn:aws:sns:ap-southeast-2:123456789012:a_B-9", "sns.ap-southeast-2.amazonaws.com"),
        ("arn:aws:sns:mx-central-1:123456789012:x", "sns.mx-central-1.amazonaws.com"),
        ("arn:aws:sns:eu-west-1:1234567890:short-account", "sns.eu-west-1.amazonaws.com"),
        ("arn:aws-us-gov:sns:us-gov-west-1:123456789012:x", "sns.us-gov-west-1.amazonaws.com"),
        ("arn:aws-cn:sns:cn-north-1:123456789012:x", "sns.cn-north-1.amazonaws.com.cn"),
        ("arn:aws-cn:sns:cn-northwest-1:123456789012:x", "sns.cn-northwest-1.amazonaws.com.cn"),
        ("arn:aws-eusc:sns:eusc-de-east-1:123456789012:x", "sns.eusc-de-east-1.amazonaws.eu"),
        ("arn:aws:sns:us-east-1:123456789012:orders.fifo", "sns.us-east-1.amazonaws.com"),
    ],
)
def test_a_topic_has_one_host(topic: str, host: str) -> None:
    arn = parse_topic(topic)

    assert arn is not None
    assert sns_host(arn) == host


@pytest.mark.parametrize(
    "text",
    [
        None,
        "",
        "alarms",
        "arn:aws:sns:EXAMPLE",
        "arn:aws:sns:us-east-1:123456789012",
        "arn:aws:sns:us-east-1:123456789012:",
        "arn:aws:sns::123456789012:x",
        "arn:aws:sns:us-east-1::x",
        "arn:aws:sns:us-east-1:12345678901२:x",
        "arn:aws:sns:us-east-1:123456789012:x y",
        "arn:aws:sns:us-east-1:123456789012:x/y",
        "arn:aws:sns:us-east-1:123456789012:x\n",
        "arn:aws:sns:us-east-1:123456789012:x:subscription",
        "arn:aws:sns:us-east-1:123456789012:" + "x" * 257,
        "arn:aws:sqs:us-east-1:123456789012:x",
        "arn:aws:sns:us-east-1.evil.com/:123456789012:x",
        "arn:aws:sns:US-EAST-1:123456789012:x",
        "arn:aws:sns:localhost:123456789012:x",
        "arn:aws:sns:cn-north-1:123456789012:x",
        "arn:aws-cn:sns:us-east-1:123456789012:x",
        "arn:aws:sns:us-gov-west-1:123456789012:x",
        "arn:aws-us-gov:sns:us-east-1:123456789012:x",
        "arn:aws-iso:sns:us-iso-east-1:123456789012:x",
        "arn:evil:sns:us-east-1:123456789012:x",
        "ARN:aws:sns:us-east-1:123456789012:x",
    ],
)
def test_what_is_no_topic_has_none(text: str | None) -> None:
    assert parse_topic(text) is None


def test_the_name_of_an_alarm_may_hold_colons() -> None:
    arn = parse_arn("arn:aws:cloudwatch:eu-west-1:123456789012:alarm:core: db: cpu")

    assert arn is not None
    assert (arn.service, arn.account, arn.name) == ("cloudwatch", "123456789012", "core: db: cpu")


@pytest.mark.parametrize(
    ("place", "url"),
    [
        ("aws:cloudwatch:eu-west-1", "https://eu-west-1.console.aws.amazon.com"),
        ("aws-us-gov:cloudwatch:us-gov-east-1", "https://console.amazonaws-us-gov.com"),
        ("aws-cn:cloudwatch:cn-north-1", "https://cn-north-1.console.amazonaws.cn"),
        ("aws-eusc:cloudwatch:eusc-de-east-1", None),
    ],
)
def test_each_partition_has_its_own_console(place: str, url: str | None) -> None:
    arn = parse_arn(f"arn:{place}:123456789012:alarm:cpu")

    assert arn is not None
    assert console(arn) == url
