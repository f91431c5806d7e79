"""What do the two runners and the five services need to know?"""

from collections.abc import Mapping
from pathlib import Path

from pagerpal_common.config import Settings, load
from pagerpal_escalator.settings import EscalatorSettings
from pagerpal_incidents.settings import IncidentsSettings
from pagerpal_ingest.settings import IngestSettings
from pagerpal_notifier.settings import NotifierSettings
from pagerpal_web.secret_key import FILE, load_keys
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


def own_url(settings: Settings) -> str:
    """Where PagerPal is found on this machine."""
    host = {"0.0.0.0": "127.0.0.1", "::": "[::1]", "::1": "[::1]"}.get(settings.host, settings.host)  # noqa: S104
    return f"http://{host}:{settings.port}"


def with_links(environ: Mapping[str, str]) -> dict[str, str]:
    """The environment of the notifier, in which it knows what development leaves unsaid: the key that web keeps in a
    file, and where browsers find us. So pages have their one-tap links from the first one on.

    Our own address is of use on this machine alone: it is no link for pages that go out to phones, and none where
    others may reach us, who find us somewhere else.

    Raises:
        ConfigError: the file of the key can be neither read nor made.
    """
    web, notifier = load(WebSettings, environ), load(NotifierSettings, environ)
    known = dict(environ)
    if web.secret_key is None:
        load_keys(web)
        known["PAGERPAL_SECRET_KEY_FILE"] = str(web.data_dir / FILE)
    if web.public_url is None and not web.is_exposed and notifier.infobip_base_url is None:
        known["PAGERPAL_PUBLIC_URL"] = own_url(load(StandaloneSettings, environ))
    return known


def with_database(environ: Mapping[str, str], url: str) -> dict[str, str]:
    """The environment of services whose database is this one, whatever they were told before."""
    return {**environ, "PAGERPAL_DATABASE_URL": url, "PAGERPAL_DATABASE_URL_FILE": ""}
