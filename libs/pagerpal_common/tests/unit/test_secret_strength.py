"""Which secrets does production refuse, and does it keep them to itself?"""

from typing import Annotated

import pytest
from pagerpal_common.config import ConfigError, Settings, check, load
from pagerpal_common.secret_strength import Login, Strong
from pydantic import Field, SecretStr

GOOD = "q3Vf0mYxk2dJc8LrTnW5sZ1aHbEo7GuPi9RDyXQCt6M"
PRODUCTION = {"PAGERPAL_ENV": "production"}


class Signing(Settings):
    """A service with a secret of its own."""

    key: Annotated[SecretStr | None, Strong(32)] = Field(None, alias="PAGERPAL_SECRET_KEY")


class Receiving(Settings):
    """Another one."""

    token: Annotated[SecretStr | None, Strong(16)] = Field(None, alias="INFOBIP_RECEIPT_TOKEN")


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        (GOOD, None),
        ("0123456789abcdef" * 2, None),
        (None, "not set; production needs a random secret of at least 32 bytes"),
        (GOOD[:31], "too short; production needs a random secret of at least 32 bytes"),
        ("0" * 64, "not a random secret"),
        ("abc123" * 8, "not a random secret"),
        ("please-change-me-before-production-use", "not a random secret"),
        ("your_secret_goes_here_and_has_32_bytes", "not a random secret"),
        ("<paste the output of openssl rand here>", "not a random secret"),
    ],
)
def test_production_demands_a_long_random_secret(value: str | None, problem: str | None) -> None:
    assert Strong(32).problem(value) == problem


@pytest.mark.parametrize(
    ("url", "is_refused"),
    [
        ("amqp://guest:guest@broker/", True),
        ("amqp://broker/", True),  # the client takes guest:guest
        ("amqp://guest@broker/", True),
        ("amqp://pagerpal_ingest:pagerpal_ingest@broker/", True),
        ("amqp://pagerpal_ingest:Change-Me@broker/", True),
        ("amqp://pagerpal_ingest:p%61ssword@broker/", True),
        (f"amqps://pagerpal_ingest:{GOOD}@broker/", False),
        ("amqps://broker/?auth=EXTERNAL", False),
    ],
)
def test_production_demands_a_broker_login_of_its_own(url: str, is_refused: bool) -> None:
    assert (Login(default="guest").problem(url) is not None) is is_refused


@pytest.mark.parametrize(
    ("url", "is_refused"),
    [
        ("postgresql://postgres:postgres@db/pagerpal", True),
        ("postgresql://pagerpal_web:pagerpal@db/pagerpal", True),
        (f"postgresql://pagerpal_web:{GOOD}@db/pagerpal", False),
        ("postgresql://pagerpal_web@db/pagerpal", False),  # a password file, a certificate, a token: the server decides
        ("postgresql:///pagerpal?host=/run/postgresql", False),
        ("postgresql://[pagerpal_web:x@db/pagerpal", True),
    ],
)
def test_production_refuses_the_database_logins_that_everybody_knows(url: str, is_refused: bool) -> None:
    assert (Login(default=None).problem(url) is not None) is is_refused


def test_development_does_without() -> None:
    settings = load(Signing, {"PAGERPAL_AMQP_URL": "amqp://guest:guest@127.0.0.1/"})

    assert settings.key is None


def test_one_message_lists_the_problems_of_all_services_each_once_and_without_a_value() -> None:
    weak = {"PAGERPAL_SECRET_KEY": "hunter2", "PAGERPAL_AMQP_URL": "amqp://guest:guest@broker/", "PORT": "hunter2"}

    with pytest.raises(ConfigError) as caught:
        check((Signing, Receiving), PRODUCTION | weak, needed=["PAGERPAL_DATABASE_URL"])

    assert str(caught.value).splitlines() == [
        "PagerPal cannot start:",
        "  PAGERPAL_DATABASE_URL: not set",
        "  PORT: Input should be a valid integer, unable to parse string as an integer",
        "  PAGERPAL_AMQP_URL: its password is one that everybody knows; production needs a login of its own",
        "  PAGERPAL_SECRET_KEY: too short; production needs a random secret of at least 32 bytes",
        "  INFOBIP_RECEIPT_TOKEN: not set; production needs a random secret of at least 16 bytes",
    ]


def test_what_is_fit_for_production_is_loaded() -> None:
    fit = PRODUCTION | {"PAGERPAL_SECRET_KEY": GOOD, "PAGERPAL_AMQP_URL": f"amqp://ingest:{GOOD}@broker/"}

    assert load(Signing, fit).key == SecretStr(GOOD)
    check((Signing, Receiving), fit | {"INFOBIP_RECEIPT_TOKEN": GOOD})
