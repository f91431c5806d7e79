"""What holds for every setting of every service: nothing secret is shown, and each may be a file."""

import typing
from pathlib import Path

import pytest
from pagerpal_common.config import ConfigError, Settings, load
from pagerpal_standalone.settings import MODELS, StandaloneSettings
from pydantic import SecretStr

ALL: tuple[type[Settings], ...] = (Settings, StandaloneSettings, *MODELS)

HARMLESS = {
    "HOST",
    "INFOBIP_BASE_URL",
    "INFOBIP_SENDER",
    "INFOBIP_VOICE_SENDER",
    "PAGERPAL_AUDITOR_TEAM_ID",
    "PAGERPAL_DATA_DIR",
    "PAGERPAL_EDGE_HOST",
    "PAGERPAL_ENV",
    "PAGERPAL_LONG_TAIL",
    "PAGERPAL_LONG_TAIL_HOSTS",
    "PAGERPAL_METRICS_PORT",
    "PAGERPAL_PROVIDER_RATES",
    "PAGERPAL_PUBLIC_URL",
    "PAGERPAL_REPLY_SECONDS",
    "PAGERPAL_SOURCE_ALERTS_PER_SECOND",
    "PAGERPAL_TRUSTED_PROXIES",
    "PAGERPAL_WEB_PUSH_HOSTS",
    "PORT",
}
"""What may be shown to anybody. Whatever else is read from the environment is a SecretStr."""

VALUES = {
    "HOST": "127.0.0.2",
    "INFOBIP_API_KEY": "canary-api-key",
    "INFOBIP_BASE_URL": "https://abc12.api.infobip.com",
    "INFOBIP_SENDER": "Operations",
    "INFOBIP_VOICE_SENDER": "+4930123456",
    "PAGERPAL_AMQP_URL": "amqp://pagerpal:canary@broker/",
    "PAGERPAL_AUDITOR_TEAM_ID": "7",
    "PAGERPAL_DATABASE_URL": "postgresql://pagerpal:canary@db/pagerpal",
    "PAGERPAL_DATA_DIR": "/var/lib/pagerpal",
    "PAGERPAL_EDGE_HOST": "127.0.0.3",
    "PAGERPAL_ENV": "production",
    "PAGERPAL_HEARTBEAT_URL": "https://heartbeats.example.org/canary",
    "PAGERPAL_LONG_TAIL": "telegram,ntfy",
    "PAGERPAL_LONG_TAIL_HOSTS": "ntfy.example.org,chat.example.org:8443",
    "PAGERPAL_METRICS_PORT": "9090",
    "PAGERPAL_PROVIDER_RATES": "infobip=50,smtp=2.5",
    "PAGERPAL_PUBLIC_URL": "https://pagerpal.example.org",
    "PAGERPAL_REPLY_SECONDS": "3.5",
    "PAGERPAL_SOURCE_ALERTS_PER_SECOND": "50.0",
    "PAGERPAL_TRUSTED_PROXIES": "10.0.0.0/8",
    # In Base64: it has to be 32 bytes.
    "PAGERPAL_WEB_PUSH_KEY": "canary" * 7 + "c=",
    "PAGERPAL_WEB_PUSH_HOSTS": "push.example.org,push.example.net:8443",
    "PORT": "9000",
    "SMTP_URL": "smtps://pagerpal:canary@mail:465",
}
"""A value for each variable that is no default."""


def variables(model: type[Settings]) -> dict[str, str]:
    """The variables that a service reads, and a value for each."""
    names = [field.alias or name for name, field in model.model_fields.items()]
    return {name: VALUES.get(name, f"canary-of-{name.lower()}-0123456789abcdefghij") for name in names}


def named(model: type[Settings]) -> str:
    return model.__name__


def refused(model: type[Settings], environ: dict[str, str]) -> ConfigError | None:
    try:
        load(model, environ)
    except ConfigError as error:
        return error
    return None


@pytest.mark.parametrize("model", ALL, ids=named)
def test_what_is_not_known_to_be_harmless_is_a_secret_string(model: type[Settings]) -> None:
    for name, field in model.model_fields.items():
        is_secret = SecretStr in {field.annotation, *typing.get_args(field.annotation)}
        assert is_secret or field.alias in HARMLESS, f"{name} of {model.__name__}: SecretStr, or HARMLESS?"


@pytest.mark.parametrize("model", ALL, ids=named)
def test_neither_repr_nor_json_nor_an_error_shows_a_secret(model: type[Settings]) -> None:
    settings = load(model, variables(model))

    for shown in (repr(settings), str(settings), settings.model_dump_json(), repr(settings.model_dump())):
        assert "canary" not in shown


@pytest.mark.parametrize("model", ALL, ids=named)
def test_no_problem_with_any_setting_quotes_what_was_set(model: type[Settings]) -> None:
    for name in variables(model):
        for canary in ("canary\x7f", "canary://:canary@[", "smtp://canary:ca/nary@x", "4711canary", "-1canary"):
            for environ in ({name: canary}, {"PAGERPAL_ENV": "production", name: canary}):
                refusal = refused(model, environ)
                if refusal is not None:
                    assert "canary" not in str(refusal)
                    assert (refusal.__cause__, refusal.__context__) == (None, None)  # a traceback would show them


@pytest.mark.parametrize("model", ALL, ids=named)
def test_every_setting_may_be_a_file(model: type[Settings], tmp_path: Path) -> None:
    environ = variables(model)
    files = {}
    for name, value in environ.items():
        (tmp_path / name).write_text(f"{value}\n")
        files[f"{name}_FILE"] = str(tmp_path / name)

    assert load(model, files) == load(model, environ)
