"""Settings from the environment: files for secrets, and every problem at once, without a value."""

from pathlib import Path

import pytest
from pagerpal_common.clock import from_environment, utc_now
from pagerpal_common.config import BROKER_AND_DATABASE, ConfigError, Settings, load
from pydantic import ValidationError


def test_what_is_not_set_has_its_default() -> None:
    settings = load(Settings, {})

    assert (settings.env, settings.host, settings.port, settings.database_url) == (
        "development",
        "127.0.0.1",
        8000,
        None,
    )


def test_any_setting_may_be_a_file(tmp_path: Path) -> None:
    secret = tmp_path / "database-url"
    secret.write_text("postgresql://u:pw@db/pagerpal\n")

    settings = load(Settings, {"PAGERPAL_DATABASE_URL_FILE": str(secret)})

    assert settings.database_url is not None
    assert settings.database_url.get_secret_value() == "postgresql://u:pw@db/pagerpal"


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"\xff\xfehunter2", "PAGERPAL_AMQP_URL_FILE: not a text in UTF-8"),
        (b" \n", "PAGERPAL_AMQP_URL_FILE: the file is empty"),
    ],
)
def test_a_file_that_holds_no_setting_is_named(tmp_path: Path, content: bytes, problem: str) -> None:
    secret = tmp_path / "amqp-url"
    secret.write_bytes(content)

    with pytest.raises(ConfigError) as caught:
        load(Settings, {"PAGERPAL_AMQP_URL_FILE": str(secret)})

    assert str(caught.value) == f"PagerPal cannot start:\n  {problem}"


def test_every_problem_is_told_at_once_and_no_value() -> None:
    with pytest.raises(ConfigError) as caught:
        load(Settings, {"PORT": "hunter2", "PAGERPAL_ENV": "staging", "PAGERPAL_AMQP_URL_FILE": "/nowhere"})

    text = str(caught.value)
    assert all(name in text for name in ("PORT", "PAGERPAL_ENV", "PAGERPAL_AMQP_URL_FILE"))
    assert "hunter2" not in text


def test_a_secret_is_not_shown_by_accident() -> None:
    settings = load(Settings, {"PAGERPAL_DATABASE_URL": "postgresql://u:hunter2@db/pagerpal"})

    assert "hunter2" not in repr(settings)


def test_not_even_a_validation_error_that_nobody_catches_shows_a_value() -> None:
    with pytest.raises(ValidationError) as caught:
        Settings.model_validate({"PORT": "hunter2", "PAGERPAL_DATABASE_URL": 4711})

    assert "hunter2" not in str(caught.value)
    assert "4711" not in str(caught.value)


def test_what_one_process_cannot_do_without_is_named_when_it_is_missing() -> None:
    with pytest.raises(ConfigError, match="PAGERPAL_AMQP_URL: not set"):
        load(Settings, {"PAGERPAL_DATABASE_URL": "postgresql://db/pagerpal"}, needed=BROKER_AND_DATABASE)


def test_a_service_without_a_database_says_so() -> None:
    with pytest.raises(ConfigError, match="PAGERPAL_DATABASE_URL"):
        load(Settings, {}).connect("web")


def test_a_clock_can_be_moved_in_tests_and_never_in_production(tmp_path: Path) -> None:
    ahead = tmp_path / "clock"
    ahead.write_text("3600")
    environ = {"PAGERPAL_TEST_CLOCK": str(ahead)}

    now = from_environment(environ)

    assert 3590 < (now() - utc_now()).total_seconds() < 3610
    with pytest.raises(ValueError, match="production"):
        from_environment(environ | {"PAGERPAL_ENV": "production"})
    assert from_environment({}) is utc_now


@pytest.mark.parametrize(
    ("given", "taken"),
    [
        ("", ""),
        ("192.0.2.7", "192.0.2.7"),
        ("10.0.0.7/8, ::1", "10.0.0.0/8,::1"),
        ("2001:db8::/32", "2001:db8::/32"),
    ],
)
def test_trusted_proxies_are_addresses_and_networks(given: str, taken: str) -> None:
    assert load(Settings, {"PAGERPAL_TRUSTED_PROXIES": given}).trusted_proxies == taken


@pytest.mark.parametrize("given", ["*", "0.0.0.0/0", "::/0", "proxy.example", "10.0.0.0/8,", "10.0.0.0/8;10.1.0.0/16"])
def test_everybody_and_nobody_are_no_trusted_proxies(given: str) -> None:
    with pytest.raises(ConfigError, match="PAGERPAL_TRUSTED_PROXIES"):
        load(Settings, {"PAGERPAL_TRUSTED_PROXIES": given})
