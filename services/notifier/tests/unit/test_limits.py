"""How much a provider takes, as it is set."""

import pytest
from pagerpal_common.config import ConfigError, load
from pagerpal_notifier.domain.limits import LIMITS, burst, rates
from pagerpal_notifier.settings import NotifierSettings


def test_without_a_setting_each_provider_has_its_default() -> None:
    assert rates("") == {"apprise": 15, "infobip": 100, "slack": 50, "smtp": 50, "web_push": 50, "webhook": 100}
    assert {name for name, limits in LIMITS.items() if limits.has_circuit} == {"infobip", "smtp"}


def test_what_is_set_stands_and_the_others_keep_theirs() -> None:
    assert rates(" infobip = 250, smtp=0.5,") == {
        "apprise": 15,
        "infobip": 250,
        "slack": 50,
        "smtp": 0.5,
        "web_push": 50,
        "webhook": 100,
    }


@pytest.mark.parametrize("given", ["infobip", "infobip=", "infobip=many", "infobip=0", "infobip=nan", "infobip=inf"])
def test_a_rate_that_is_none_is_refused(given: str) -> None:
    with pytest.raises(ValueError, match="each number must be from"):
        rates(given)


def test_a_provider_that_is_unknown_is_refused_when_the_service_starts() -> None:
    with pytest.raises(ConfigError, match=r"PAGERPAL_PROVIDER_RATES.*apprise, infobip, slack, smtp, web_push, webhook"):
        load(NotifierSettings, {"PAGERPAL_PROVIDER_RATES": "twilio=3"})


def test_after_a_quiet_second_as_many_may_go_as_in_a_second_and_one_at_least() -> None:
    assert (burst(100), burst(0.2)) == (100, 1)
