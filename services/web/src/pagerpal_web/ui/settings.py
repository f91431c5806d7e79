"""How is this PagerPal set up, and does it work? Safe configuration, the work that it does by itself, and versions.

What is shown of the configuration is a list that somebody has written down, setting by setting: a new one is not shown
until it is in it, and of what may be secret only whether it is set.
"""

import platform
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from pagerpal_common import VERSION
from pagerpal_common.heartbeat import STALLED_SECONDS
from pagerpal_common.vocabulary import Role
from starlette.responses import Response

from pagerpal_web.api.system import list_jobs
from pagerpal_web.context import Context
from pagerpal_web.domain.auditor import MEANINGS
from pagerpal_web.domain.jobs import JobName, LoopRun
from pagerpal_web.domain.lacks import NOBODY
from pagerpal_web.domain.lacks import SETTINGS as CHANNEL_SETTINGS
from pagerpal_web.settings import WebSettings
from pagerpal_web.storage.channels import list_providers
from pagerpal_web.storage.system import find_revision, list_runs
from pagerpal_web.ui.html import render
from pagerpal_web.ui.pages import Page, Visit


@dataclass(frozen=True)
class Setting:
    """A setting as the page shows it."""

    variable: str
    attribute: str
    """Of `WebSettings`."""
    meaning: str
    is_harmless: bool = False
    """Whether its value may be read by anybody with an account; of any other, only whether it is set."""


SETTINGS: tuple[Setting, ...] = (
    Setting("PAGERPAL_ENV", "env", "Development, or production with its demands", is_harmless=True),
    # Of the URL the origin alone: somebody may have written a login into it.
    Setting("PAGERPAL_PUBLIC_URL", "own_origin", "Where everybody finds PagerPal", is_harmless=True),
    Setting("HOST", "host", "The address that web listens on", is_harmless=True),
    Setting("PORT", "port", "Its port", is_harmless=True),
    Setting("PAGERPAL_METRICS_PORT", "metrics_port", "Where Prometheus finds its metrics", is_harmless=True),
    Setting("PAGERPAL_EDGE_HOST", "edge_host", "Where a proxy on this machine listens for it", is_harmless=True),
    Setting("PAGERPAL_TRUSTED_PROXIES", "trusted_proxies", "Whose word about callers is believed", is_harmless=True),
    Setting("PAGERPAL_AUDITOR_TEAM_ID", "auditor_team_id", "Whom the auditor pages", is_harmless=True),
    Setting("PAGERPAL_LONG_TAIL", "long_tail_messengers", "Messengers that people may be paged by", is_harmless=True),
    Setting("PAGERPAL_LONG_TAIL_HOSTS", "long_tail_hosts", "One's own servers among them"),
    Setting("PAGERPAL_WEB_PUSH_HOSTS", "web_push_hosts", "Push services beside those of the browsers' makers"),
    Setting("PAGERPAL_DATA_DIR", "data_dir", "Where development keeps its key"),
    Setting("PAGERPAL_DATABASE_URL", "database_url", "PostgreSQL"),
    Setting("PAGERPAL_AMQP_URL", "amqp_url", "RabbitMQ"),
    Setting("PAGERPAL_SECRET_KEY", "secret_key", "What sessions are signed with"),
    Setting("PAGERPAL_SECRET_KEY_PREVIOUS", "previous_secret_key", "The one before it, while it is changed"),
    Setting("PAGERPAL_HEARTBEAT_URL", "heartbeat_url", "Who outside hears every minute that all is well"),
)
"""Every setting of web."""

JOBS: Mapping[JobName, str] = {
    JobName.NOTIFICATION_RETRY: "Sending and retrying notifications",
    JobName.ESCALATION: "Escalating",
    JobName.OUTBOX_RELAY: "Handing messages over",
    JobName.ALERT_SPOOL: "Taking in kept alerts",
    JobName.AUDITOR: "Auditing the guarantees",
}
"""What each job does."""


@dataclass(frozen=True)
class LoopLine:
    """A loop of a service as the page shows it."""

    name: str
    every: timedelta
    last_run_at: datetime | None
    last_error: str | None
    is_late: bool


async def show_settings(ctx: Context, visit: Visit) -> Response:
    """The page."""
    standing = await list_jobs(ctx, visit.call())
    async with ctx.db.begin() as tx:
        revision, runs, providers = await find_revision(tx), await list_runs(tx), await list_providers(tx)
    return await render(
        ctx, visit.visitor, "settings.html", standing=standing, job_names=JOBS, meanings=MEANINGS,
        loops=_loops(runs, ctx.now()), settings=[_line(ctx.settings, setting) for setting in SETTINGS],
        providers=providers, nobody=NOBODY, channel_settings=CHANNEL_SETTINGS,
        version=VERSION, python=platform.python_version(), revision=revision, is_admin=visit.may(Role.ADMIN),
    )  # fmt: skip


def _loops(runs: Mapping[str, LoopRun], at: datetime) -> list[LoopLine]:
    return [
        LoopLine(name, run.every, run.last_run_at, run.last_error, _is_late(run, at))
        for name, run in sorted(runs.items())
    ]


def _is_late(run: LoopRun, at: datetime) -> bool:
    return run.last_run_at is None or at - run.last_run_at > run.every + timedelta(seconds=STALLED_SECONDS)


def _line(settings: WebSettings, setting: Setting) -> tuple[str, str, str]:
    value = getattr(settings, setting.attribute)
    if value is None or value == "":
        return setting.variable, setting.meaning, "not set"
    return setting.variable, setting.meaning, str(value) if setting.is_harmless else "set"


PAGES: tuple[Page, ...] = (Page("GET", "/settings", show_settings, waits=True),)
