"""What do the two runners need to know, and does the environment do for all five services?"""

import os
from collections.abc import Mapping
from pathlib import Path

from pagerpal_common.config import ConfigError, Settings, load
from pagerpal_escalator.settings import EscalatorSettings
from pagerpal_incidents.settings import IncidentsSettings
from pagerpal_ingest.settings import IngestSettings
from pagerpal_notifier.settings import NotifierSettings
from pagerpal_web.settings import WebSettings
from pydantic import Field

MODELS: tuple[type[Settings], ...] = (
    WebSettings,
    IngestSettings,
    IncidentsSettings,
    EscalatorSettings,
    NotifierSettings,
)
"""What each of the five services reads from the environment."""


class StandaloneSettings(Settings):
    """What one process with everything in it needs; PAGERPAL_DATABASE_URL replaces its own PostgreSQL."""

    data_dir: Path = Field(Path(".pagerpal"), alias="PAGERPAL_DATA_DIR")


def check(environ: Mapping[str, str] | None = None) -> None:
    """See that every service can read its settings, before any of them is started.

    Raises:
        ConfigError: one message with the problems of all of them.
    """
    values = os.environ if environ is None else environ
    problems: dict[str, None] = {}
    for model in MODELS:
        try:
            load(model, values)
        except ConfigError as error:
            problems.update(dict.fromkeys(str(error).splitlines()[1:]))
    if problems:
        raise ConfigError("PagerPal cannot start:\n" + "\n".join(problems))


def with_database(environ: Mapping[str, str], url: str) -> dict[str, str]:
    """The environment of services whose database is this one, whatever they were told before."""
    return {**environ, "PAGERPAL_DATABASE_URL": url, "PAGERPAL_DATABASE_URL_FILE": ""}
