"""What do the two runners and the five services need to know?"""

from collections.abc import Mapping
from pathlib import Path

from pagerpal_common.config import Settings
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


def with_database(environ: Mapping[str, str], url: str) -> dict[str, str]:
    """The environment of services whose database is this one, whatever they were told before."""
    return {**environ, "PAGERPAL_DATABASE_URL": url, "PAGERPAL_DATABASE_URL_FILE": ""}
