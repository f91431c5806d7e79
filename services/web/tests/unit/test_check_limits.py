"""How often may codes and test pages be sent?"""

from datetime import UTC, datetime, timedelta

from pagerpal_common.vocabulary import CheckKind
from pagerpal_web.domain.check_limits import Sent, wait_for_check

T0 = datetime(2026, 5, 21, 12, tzinfo=UTC)
NOTHING = timedelta(0)


def minutes(number: float) -> timedelta:
    return timedelta(minutes=number)


def codes(*ago: float, method: int = 1001) -> list[Sent]:
    return [Sent(method, CheckKind.CODE, T0 - minutes(number)) for number in ago]


def test_three_codes_are_sent_within_ten_minutes_and_the_fourth_waits_for_the_first_to_be_over() -> None:
    assert wait_for_check(codes(9, 5), 1001, CheckKind.CODE, T0) == NOTHING
    assert wait_for_check(codes(9, 5, 1), 1001, CheckKind.CODE, T0) == minutes(1)
    assert wait_for_check(codes(10, 5, 1), 1001, CheckKind.CODE, T0) == NOTHING


def test_a_test_page_and_another_method_are_counted_apart() -> None:
    assert wait_for_check(codes(3, 2, 1), 1001, CheckKind.TEST, T0) == NOTHING
    assert wait_for_check(codes(3, 2, 1), 1002, CheckKind.CODE, T0) == NOTHING


def test_a_person_has_twelve_whatever_their_methods_are() -> None:
    sent = [one for method in range(6) for one in codes(8, 7, method=2000 + method)]

    assert wait_for_check(sent[:-1], 1001, CheckKind.CODE, T0) == NOTHING
    assert wait_for_check(sent, 1001, CheckKind.CODE, T0) == minutes(2)
