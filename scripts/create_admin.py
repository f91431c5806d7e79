#!/usr/bin/env python3
"""How does the first admin get in, or one who is locked out? `scripts/create_admin.py --email E [--name N]`.

The password comes from a prompt, or from PAGERPAL_ADMIN_PASSWORD. The database is PAGERPAL_DATABASE_URL, or that of the
standalone PagerPal that runs on PAGERPAL_DATA_DIR (.pagerpal). Somebody who is there already becomes an active admin
with the new password. Ends with 0 or 1, and one line that says what happened.
"""

import argparse
import os
import sys
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent

try:
    import asyncio
    from getpass import getpass

    from pagerpal_common.clock import utc_now
    from pagerpal_common.config import ConfigError, Settings, load
    from pagerpal_common.db import connect
    from pagerpal_common.errors import DatabaseUnavailable, Unprocessable
    from pagerpal_standalone.postgres import database_url
    from pagerpal_web.admins import NewAdmin, make_admin
    from pydantic import ValidationError
    from sqlalchemy.exc import ArgumentError
except ModuleNotFoundError as missing:
    # Started by a Python without PagerPal: the repository's own has it.
    python = REPOSITORY / ".venv" / "bin" / "python"
    if python.exists() and Path(sys.prefix).resolve() != (REPOSITORY / ".venv").resolve():
        os.execv(python, [str(python), *sys.argv])  # noqa: S606 - our own interpreter, and no shell
    sys.exit(
        f"PagerPal is not installed here ({missing.name}): run `make setup`, then {python.relative_to(REPOSITORY)}"
    )


class Failed(Exception):
    """The admin cannot be made; the text says why, in one line."""


def main() -> None:
    """Make the admin that the command line asks for."""
    parser = argparse.ArgumentParser(description="Make an admin, or let one in again.")
    parser.add_argument("--email", required=True)
    parser.add_argument("--name")
    given = parser.parse_args()
    try:
        admin = new_admin(given.email, given.name)
        user_id, is_new = asyncio.run(save(find_database(), admin))
    except (Failed, ConfigError) as error:
        sys.exit(" ".join(str(error).split()))
    except (KeyboardInterrupt, EOFError):
        sys.exit("stopped: nothing was changed")
    print(f"{admin.email} {'is now' if is_new else 'was there and is now'} an active admin (user {user_id})")


def new_admin(email: str, name: str | None) -> NewAdmin:
    """The admin asked for, checked as the API checks users."""
    try:
        return NewAdmin.model_validate({"email": email, "name": name, "password": ask_password()})
    except ValidationError as error:
        problems = (f"{problem['loc'][0]}: {problem['msg']}" for problem in error.errors(include_input=False))
        raise Failed("; ".join(problems)) from None


def ask_password() -> str:
    """From the environment, or twice from the terminal."""
    given = os.environ.get("PAGERPAL_ADMIN_PASSWORD")
    if given is not None:
        return given
    password = getpass("Password (at least 12 characters): ")
    if getpass("The same again: ") != password:
        raise Failed("the two passwords differ: nothing was changed")
    return password


def find_database() -> str:
    """The URL in the settings, or else the standalone PagerPal's own."""
    settings = load(Settings)
    if settings.database_url is not None:
        return settings.database_url.get_secret_value()
    data_dir = Path(os.environ.get("PAGERPAL_DATA_DIR") or ".pagerpal")
    url = database_url(data_dir)
    if url is None:
        raise Failed(f"no database: set PAGERPAL_DATABASE_URL, or start PagerPal first (there is none in {data_dir})")
    return url


async def save(url: str, admin: NewAdmin) -> tuple[int, bool]:
    """Write the admin; their id, and whether they are new."""
    try:
        db = connect(url, role="web")
    except (ArgumentError, ImportError, ValueError):
        raise Failed("PAGERPAL_DATABASE_URL is no URL of a PostgreSQL database") from None
    try:
        return await make_admin(db, admin, utc_now())
    except Unprocessable as error:
        raise Failed("; ".join(f"password: {problem['msg']}" for problem in error.problems)) from None
    except DatabaseUnavailable as error:
        raise Failed(
            f"the database cannot be used ({error}): is PagerPal running, and was it started on this database?"
        ) from None
    finally:
        await db.close()


if __name__ == "__main__":
    main()
