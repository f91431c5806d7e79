"""Where in AWS does a thing live? Its ARN says partition, region and account; hosts and consoles follow from these.

Partitions and their domains: botocore's `partitions.json`. The isolated ones (`aws-iso…`) are not listed: nothing of
them reaches a PagerPal outside, and each domain listed is one more that is trusted.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

DOMAIN: Mapping[str, str] = {
    "aws": "amazonaws.com",
    "aws-us-gov": "amazonaws.com",
    "aws-cn": "amazonaws.com.cn",
    "aws-eusc": "amazonaws.eu",
}
"""The domain of each partition's services."""

_CONSOLE: Mapping[str, str] = {
    "aws": "https://{region}.console.aws.amazon.com",
    "aws-us-gov": "https://console.amazonaws-us-gov.com",
    "aws-cn": "https://{region}.console.amazonaws.cn",
}

# Other regions than these belong to `aws`.
_PARTITION_OF: Mapping[str, str] = {"cn-": "aws-cn", "us-gov-": "aws-us-gov", "eusc-": "aws-eusc"}

_REGION = re.compile(r"[a-z]{2,5}(?:-[a-z]{2,16}){1,3}-[0-9]{1,2}")

_TOPIC_NAME = re.compile(r"[A-Za-z0-9_-]{1,256}(?:\.fifo)?")


@dataclass(frozen=True)
class Arn:
    """An ARN whose partition and region are real ones that belong together."""

    partition: str
    service: str
    region: str
    account: str
    resource: str

    @property
    def name(self) -> str:
        """What the resource is called: `alarm:cpu` is `cpu`."""
        return self.resource.split(":", 1)[-1]


def parse_arn(text: str | None) -> Arn | None:
    """The parts of an ARN; None when it is none, or of a partition or region that there is not."""
    parts = (text or "").split(":", 5)
    if len(parts) != 6 or parts[0] != "arn":
        return None
    arn = Arn(*parts[1:])
    is_placed = _REGION.fullmatch(arn.region) and _partition_of(arn.region) == arn.partition
    return arn if is_placed and arn.partition in DOMAIN else None


def parse_topic(text: str | None) -> Arn | None:
    """The parts of an SNS topic's ARN; None when it is none."""
    arn = parse_arn(text)
    if arn is None or arn.service != "sns" or not _TOPIC_NAME.fullmatch(arn.resource):
        return None
    return arn if arn.account.isascii() and arn.account.isdigit() else None


def sns_host(topic: Arn) -> str:
    """The one host that speaks for this topic."""
    return f"sns.{topic.region}.{DOMAIN[topic.partition]}"


def console(arn: Arn) -> str | None:
    """Where people look at things in this region; None when it is not known."""
    url = _CONSOLE.get(arn.partition)
    return url and url.format(region=arn.region)


def _partition_of(region: str) -> str:
    return next((partition for prefix, partition in _PARTITION_OF.items() if region.startswith(prefix)), "aws")
