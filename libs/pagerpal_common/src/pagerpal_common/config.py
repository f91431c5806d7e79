"""Settings from the environment: one frozen model per process, read once, every problem reported at once."""

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from ipaddress import ip_network
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, field_validator

from pagerpal_common.clock import TEST_CLOCK
from pagerpal_common.db import Database, connect
from pagerpal_common.secret_strength import Login, Strong

S = TypeVar("S", bound="Settings")


class ConfigError(Exception):
    """The environment does not do; the text lists every problem, a line each, and no value."""


class Settings(BaseModel):
    """What every process needs to know. A field's alias is the variable's name; what may be secret is a `SecretStr`.

    A secret that we give out ourselves is `Annotated[SecretStr | None, Strong(32)]`, with None as its default:
    production then demands it, and development does without (`secret_strength.py`).
    """

    model_config = ConfigDict(frozen=True, extra="ignore", populate_by_name=True, hide_input_in_errors=True)

    env: Literal["development", "production"] = Field("development", alias="PAGERPAL_ENV")
    host: str = Field("127.0.0.1", alias="HOST")
    port: int = Field(8000, alias="PORT", ge=1, le=65535)
    database_url: Annotated[SecretStr | None, Login(default=None)] = Field(None, alias="PAGERPAL_DATABASE_URL")
    amqp_url: Annotated[SecretStr | None, Login(default="guest")] = Field(None, alias="PAGERPAL_AMQP_URL")
    metrics_port: int | None = Field(None, alias="PAGERPAL_METRICS_PORT", ge=1, le=65535)
    """Where Prometheus finds `/metrics`, beside `/livez` and `/readyz`: a port of its own, so that what publishes the
    other one publishes none of it. Nowhere unless it is set."""
    trusted_proxies: str = Field("", alias="PAGERPAL_TRUSTED_PROXIES")
    """Addresses and networks, with commas between them, whose `X-Forwarded-For` and `-Proto` are believed. Nobody's
    unless they are named: whoever is believed can say that they are anybody."""

    @field_validator("trusted_proxies")
    @classmethod
    def _check_proxies(cls, given: str) -> str:
        return ",".join(_proxy(part.strip()) for part in given.split(",")) if given else given

    def connect(self, service: str) -> Database:
        """The database, in the role of that service.

        Raises:
            ConfigError: no database is named.
        """
        if self.database_url is None:
            raise _cannot_start(["PAGERPAL_DATABASE_URL: not set"])
        return connect(self.database_url.get_secret_value(), role=service)


BROKER_AND_DATABASE = ("PAGERPAL_DATABASE_URL", "PAGERPAL_AMQP_URL")
"""What a service that is a process of its own cannot do without."""


def load(model: type[S], environ: Mapping[str, str] | None = None, *, needed: Sequence[str] = ()) -> S:
    """The settings of this process. Any variable may instead be a file, named by `NAME_FILE`.

    Args:
        needed: variables that this process cannot do without, though another might.

    Raises:
        ConfigError: something is missing, unreadable or wrong, or a secret does not do for production.
    """
    settings, problems = _read(model, os.environ if environ is None else environ, needed)
    if settings is None or problems:
        raise _cannot_start(problems)
    return settings


def check(
    models: Sequence[type[Settings]], environ: Mapping[str, str] | None = None, *, needed: Sequence[str] = ()
) -> None:
    """See that all of these settings can be loaded, before anything is started.

    Raises:
        ConfigError: one message with the problems of all of them, each once.
    """
    values = os.environ if environ is None else environ
    problems = dict.fromkeys(problem for model in models for problem in _read(model, values, needed)[1])
    if problems:
        raise _cannot_start(problems)


def _cannot_start(problems: Iterable[str]) -> ConfigError:
    return ConfigError("PagerPal cannot start:\n" + "\n".join(f"  {problem}" for problem in problems))


def _read(model: type[S], environ: Mapping[str, str], needed: Sequence[str]) -> tuple[S | None, list[str]]:
    """The settings, if there is nothing wrong with their form; and everything that is wrong."""
    given, problems = _given(model, environ)
    problems += [f"{name}: not set" for name in needed if name not in given]
    settings = None
    try:
        settings = model.model_validate(given)
    except ValidationError as error:
        found = error.errors(include_input=False, include_context=False, include_url=False)
        problems += [": ".join((*map(str, e["loc"]), e["msg"])) for e in found]
    if given.get("PAGERPAL_ENV") == "production":
        problems += _unfit_for_production(model, given)
        if environ.get(TEST_CLOCK):
            problems.append(f"{TEST_CLOCK}: must not be set in production")
    return settings, problems


def _given(model: type[Settings], environ: Mapping[str, str]) -> tuple[dict[str, Any], list[str]]:
    given: dict[str, Any] = {}
    problems: list[str] = []
    for name, field in model.model_fields.items():
        variable = field.alias or name
        file = environ.get(f"{variable}_FILE")
        if file:
            try:
                given[variable] = Path(file).read_text(encoding="utf-8").strip()
            except OSError as error:
                problems.append(f"{variable}_FILE: {error.strerror}")
            except ValueError:  # its own text quotes what it could not read
                problems.append(f"{variable}_FILE: not a text in UTF-8")
            else:
                if not given[variable]:
                    problems.append(f"{variable}_FILE: the file is empty")
        elif environ.get(variable):
            given[variable] = environ[variable]
    return given, problems


def _unfit_for_production(model: type[Settings], given: Mapping[str, str]) -> Iterator[str]:
    for name, field in model.model_fields.items():
        variable = field.alias or name
        for demand in field.metadata:
            if isinstance(demand, Strong | Login) and (problem := demand.problem(given.get(variable))):
                yield f"{variable}: {problem}"


def _proxy(part: str) -> str:
    """One trusted address or network, as uvicorn reads it.

    Raises:
        ValueError: it is none, or it is everybody's.
    """
    try:
        network = ip_network(part, strict=False)
    except ValueError:
        raise ValueError("addresses or networks with commas between them (10.0.0.0/8, 192.0.2.7)") from None
    if network.prefixlen == 0:
        raise ValueError("everybody cannot be a trusted proxy")
    return str(network if "/" in part else network.network_address)
