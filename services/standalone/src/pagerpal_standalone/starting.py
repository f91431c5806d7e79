"""What do both runners do around the services: is the port free, is the database ready, and what comes next?"""

import asyncio
import os
import shlex
import sys
from contextlib import suppress

from pagerpal_common.config import Settings, load
from pagerpal_common.db import connect
from pagerpal_common.errors import Unavailable
from pagerpal_common.migrations import upgrade
from pagerpal_web.secret_key import load_keys, setup_token
from pagerpal_web.settings import WebSettings
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from pagerpal_standalone.settings import own_url

LOOK_AGAIN_SECONDS = 0.02

_HAS_ADMIN = text("SELECT EXISTS (SELECT FROM directory.users WHERE role = 'admin')")

# The shortest way from an empty database to a page: a team without a policy pages every admin.
_FIRST_STEPS = """\
Open {url} in a browser: the first account is made there. Or, from here to the first page, in another terminal:

  export PAGERPAL_ADMIN_PASSWORD='<a long password>'
  {settings}{python} scripts/create_admin.py --email you@example.com --name You

  curl -u "you@example.com:$PAGERPAL_ADMIN_PASSWORD" {url}/api/v1/teams -d '{{"name": "Operations"}}'
  KEY=$(curl -s -u "you@example.com:$PAGERPAL_ADMIN_PASSWORD" {url}/api/v1/alert-sources \\
    -d '{{"team_id": 1, "name": "Monitoring", "source_type": "generic"}}' | sed 's/.*"api_key":"\\([^"]*\\).*/\\1/')
  curl {url}/api/v1/alerts -H "X-API-Key: $KEY" \\
    -d '{{"title": "Disk full on db-1", "severity": "critical", "external_id": "db-1-disk"}}'

The page is printed here until a provider is set (INFOBIP_BASE_URL and INFOBIP_API_KEY, SMTP_URL).
"""

_FIRST_IN = """\

Whoever becomes the first admin by POST /bootstrap/admin instead has to show this setup token, since others than you may
reach PagerPal: {token}
"""


class CannotStart(Exception):
    """Something around PagerPal does not do; the text is one line for the user."""


async def see_free(host: str, port: int) -> None:
    """See that the port can be listened on, before anything else is started.

    Raises:
        CannotStart: somebody has it, or this machine has no such address.
    """
    try:
        server = await asyncio.start_server(lambda *_: None, host, port)
    except (OSError, OverflowError) as error:
        number = getattr(error, "errno", None) or 0
        reason = os.strerror(number) if number > 0 else str(error)
        raise CannotStart(f"cannot listen on {host}:{port}: {reason} (HOST and PORT choose another place)") from None
    server.close()
    await server.wait_closed()


async def migrate(url: str) -> None:
    """Bring the database to this version's schema.

    Raises:
        CannotStart: it cannot be reached, or refuses.
    """
    try:
        await upgrade(url)
    except (OSError, SQLAlchemyError) as error:
        cause = error.orig if isinstance(error, DBAPIError) and error.orig is not None else error
        reason = str(cause).strip().partition("\n")[0] or type(cause).__name__
        raise CannotStart(f"the database cannot be used: {reason}") from error


async def announce(settings: Settings, database_url: str, remark: str) -> None:
    """Once the port answers, say where PagerPal is, and to somebody new what to do next."""
    await until_listening(settings.host, settings.port)
    url = own_url(settings)
    say(f"PagerPal is running on {url} ({remark}; Ctrl-C stops it)\n")
    with suppress(Unavailable):
        if not await _has_admin(database_url):
            say(first_steps(url) + _token_when_exposed())


async def until_listening(host: str, port: int) -> None:
    """Wait for a server to take connections."""
    while True:
        with suppress(OSError):
            _, writer = await asyncio.open_connection(host, port)
            writer.close()
            return
        await asyncio.sleep(LOOK_AGAIN_SECONDS)


async def _has_admin(database_url: str) -> bool:
    database = connect(database_url, role="web", pool_size=1)
    try:
        async with database.begin() as tx:
            return bool(await tx.scalar(_HAS_ADMIN))
    finally:
        await database.close()


def first_steps(url: str) -> str:
    """Commands to copy, for the settings that this process runs with."""
    names = ("PAGERPAL_DATA_DIR", "PAGERPAL_DATABASE_URL_FILE")  # never the database's URL: it holds a password
    given = "".join(f"{name}={shlex.quote(os.environ[name])} " for name in names if os.environ.get(name))
    return _FIRST_STEPS.format(settings=given, python=shlex.quote(os.path.relpath(sys.executable)), url=url)


def _token_when_exposed() -> str:
    """The same token as web's own, which is made of the same key."""
    web = load(WebSettings)
    return _FIRST_IN.format(token=setup_token(load_keys(web))) if web.is_exposed else ""


def say(words: str) -> None:
    """To the person at the terminal; logs go to standard error."""
    sys.stdout.write(words)
    sys.stdout.flush()
