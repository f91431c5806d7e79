"""What does a hand-written configuration choose?"""

from typing import Any

import pytest
from pagerpal_common.errors import Forbidden
from pagerpal_common.vocabulary import Severity
from pagerpal_ingest.domain.choices import (
    check_topic,
    demands_signature,
    opens_without_data,
    topics,
)
from pagerpal_ingest.domain.source import Source

ONE = "arn:aws:sns:eu-west-1:123456789012:one"
TWO = "arn:aws:sns:eu-west-1:123456789012:two"


def source(pinned: str | None = None, **config: Any) -> Source:
    return Source(7, 3, None, config or None, is_active=True, topic_arn=pinned)


@pytest.mark.parametrize(
    ("chosen", "severity"),
    [("warning", "warning"), (" Info", "info"), ("urgent", "critical"), (None, "critical"), (["info"], "critical")],
)
def test_an_alarm_is_critical_unless_the_owner_says_otherwise(chosen: Any, severity: str) -> None:
    assert source(default_severity=chosen).default_severity is Severity(severity)
    assert source().default_severity is Severity.CRITICAL


@pytest.mark.parametrize(("chosen", "expected"), [("open", True), ("ignore", False), (True, False), (None, False)])
def test_only_open_opens_without_data(chosen: Any, expected: bool) -> None:
    assert opens_without_data(source(insufficient_data=chosen)) is expected


@pytest.mark.parametrize(
    ("chosen", "expected"),
    [(True, True), ("true", True), (" True", True), (False, False), ("false", False), (1, False), (None, False)],
)
def test_signatures_are_demanded_when_the_owner_says_true(chosen: Any, expected: bool) -> None:
    assert demands_signature(source(verify_signature=chosen)) is expected


@pytest.mark.parametrize(
    ("chosen", "seconds"), [(300, 300), (0, 0), (-5, 0), (True, 0), (1.5, 0), ("60", 0), (10**9, 86_400), (None, 0)]
)
def test_the_flap_time_is_a_whole_number_of_seconds_within_a_day(chosen: Any, seconds: int) -> None:
    assert source(flap_seconds=chosen).flap_seconds == seconds


@pytest.mark.parametrize(
    ("pinned", "chosen", "allowed"),
    [
        (None, None, set()),
        (ONE, None, {ONE}),
        (ONE, [TWO], {TWO}),
        (ONE, TWO, {TWO}),
        (None, [ONE, f" {TWO} ", 5, "", None], {ONE, TWO}),
        (ONE, [], {ONE}),
        (ONE, {"a": 1}, {ONE}),
    ],
)
def test_an_administrator_s_list_of_topics_replaces_the_first_one(
    pinned: str | None, chosen: Any, allowed: set[str]
) -> None:
    assert topics(source(pinned, topic_arns=chosen)) == allowed


def test_another_topic_is_forbidden_and_none_is_not() -> None:
    check_topic(source(), TWO)
    check_topic(source(ONE), ONE)
    check_topic(source(ONE), None)

    with pytest.raises(Forbidden, match="topic_arns"):
        check_topic(source(ONE), TWO)
