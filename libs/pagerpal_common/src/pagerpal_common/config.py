"""Settings from the environment: one frozen model per process, read once, every problem reported at once."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError

from pagerpal_common.db import Database, connect

S = TypeVar("S", bound="Settings")


class ConfigError(Exception):
    """The environment does not do; the text lists every problem, a line each, and no value."""


class Settings(BaseModel):
    """What every process needs to know. A field's alias is the variable's name."""

    model_config = ConfigDict(frozen=True, extra="ignore", populate_by_name=True)

    env: Literal["development", "production"] = Field("development", alias="PAGERPAL_ENV")
    host: str = Field("127.0.0.1", alias="HOST")
    port: int = Field(8000, alias="PORT", ge=1, le=65535)
    database_url: SecretStr | None = Field(None, alias="PAGERPAL_DATABASE_URL")
    amqp_url: SecretStr | None = Field(None, alias="PAGERPAL_AMQP_URL")

    def connect(self, service: str) -> Database:
        """The database, in the role of that service.

        Raises:
            ConfigError: no database is named.
        """
        if self.database_url is None:
            raise ConfigError("PagerPal cannot start:\n  PAGERPAL_DATABASE_URL: not set")
        return connect(self.database_url.get_secret_value(), role=service)


def load(model: type[S], environ: Mapping[str, str] | None = None) -> S:
    """The settings of this process. Any variable may instead be a file, named by `NAME_FILE`.

    Raises:
        ConfigError: something is missing, unreadable or wrong.
    """
    values = os.environ if environ is None else environ
    given: dict[str, Any] = {}
    problems: list[str] = []
    for name, field in model.model_fields.items():
        variable = field.alias or name
        file = values.get(f"{variable}_FILE")
        if file:
            try:
                given[variable] = Path(file).read_text(encoding="utf-8").strip()
            except OSError as error:
                problems.append(f"{variable}_FILE: {error.strerror}")
        elif values.get(variable):
            given[variable] = values[variable]
    try:
        settings = model.model_validate(given)
    except ValidationError as error:
        problems += [f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors(include_input=False)]
    if problems:
        raise ConfigError("PagerPal cannot start:\n" + "\n".join(f"  {problem}" for problem in problems))
    return settings
