"""What has the owner of a source chosen for its SNS messages and alarms? Configurations are written by hand: what makes
no sense in one chooses nothing."""

from typing import Any

from pagerpal_common.errors import Forbidden

from pagerpal_ingest.domain.source import Source


def opens_without_data(source: Source) -> bool:
    """`insufficient_data: "open"`: an alarm that has lost its data is as bad as one that has gone off."""
    return bool(_chosen(source, "insufficient_data") == "open")


def demands_signature(source: Source) -> bool:
    """`verify_signature: true`: what Amazon has not signed is refused."""
    chosen = _chosen(source, "verify_signature")
    return chosen is True or (isinstance(chosen, str) and chosen.strip().lower() == "true")


def topics(source: Source) -> frozenset[str]:
    """The SNS topics that this source takes messages of; empty when any will do.

    `topic_arns` (a list, or one) is an administrator's word and counts alone; without it the topic counts whose
    subscription was confirmed first.
    """
    chosen = _chosen(source, "topic_arns")
    listed = [chosen] if isinstance(chosen, str) else chosen if isinstance(chosen, list) else []
    named = frozenset(topic.strip() for topic in listed if isinstance(topic, str) and topic.strip())
    if named or source.topic_arn is None:
        return named
    return frozenset({source.topic_arn})


def check_topic(source: Source, topic_arn: str | None) -> None:
    """A message that names no topic is as good as its key: only unsigned ones can lack it.

    Raises:
        Forbidden: it is of a topic that this source does not take messages of.
    """
    allowed = topics(source)
    if topic_arn is not None and allowed and topic_arn not in allowed:
        raise Forbidden("this source takes the messages of another SNS topic; see topic_arns in its configuration")


def _chosen(source: Source, name: str) -> Any:
    return (source.config or {}).get(name)
