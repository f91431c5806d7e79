"""Does the environment do for all five services, before any of them is started?"""

import pytest
from pagerpal_common.config import ConfigError, check
from pagerpal_standalone.settings import MODELS


def test_development_needs_nothing() -> None:
    check(MODELS, {})


def test_production_without_a_secret_key_does_not_start_and_every_problem_is_told_once() -> None:
    with pytest.raises(ConfigError) as caught:
        check(MODELS, {"PAGERPAL_ENV": "production", "PORT": "planted", "SMTP_URL": "planted"})
    problems = str(caught.value).splitlines()
    for name in ("PAGERPAL_SECRET_KEY", "PORT", "SMTP_URL"):
        assert len([line for line in problems if line.startswith(f"  {name}: ")]) == 1
    assert "planted" not in str(caught.value)
