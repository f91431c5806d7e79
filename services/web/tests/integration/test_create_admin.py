"""`scripts/create_admin.py`, run as people run it."""

import asyncio
import os
import sys
from pathlib import Path

import pytest
from pagerpal_common.testing.rows import Rows
from sqlalchemy import make_url

from .conftest import PASSWORD, Web

ROOT = Path(__file__).parents[4]
SCRIPT = ROOT / "scripts" / "create_admin.py"


async def create_admin(
    url: str | None, *arguments: str, password: str | None = PASSWORD, python: str = sys.executable, cwd: Path = ROOT
) -> tuple[int, str, str]:
    """Its exit status, and what it wrote to standard output and error."""
    environment = {"PATH": "/usr/bin:/bin"}
    environment |= {name: os.environ[name] for name in ("PYTHONPATH",) if name in os.environ}
    environment |= {} if url is None else {"PAGERPAL_DATABASE_URL": url}
    environment |= {} if password is None else {"PAGERPAL_ADMIN_PASSWORD": password}
    process = await asyncio.create_subprocess_exec(
        python,
        str(SCRIPT),
        *arguments,
        env=environment,
        cwd=cwd,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await process.communicate()
    return process.returncode or 0, out.decode(), err.decode()


async def test_the_first_admin_can_log_in(web: Web, database_url: str) -> None:
    status, out, err = await create_admin(database_url, "--email", "Root@Example.org", "--name", "Root")
    assert (status, err) == (0, "")
    assert out == "Root@example.org is now an active admin (user 6)\n"
    assert (await web("POST", "/api/v1/teams", {"name": "X"}, who="root")).status_code == 201


async def test_somebody_who_is_there_becomes_an_active_admin_with_the_new_password(
    web: Web, database_url: str, rows: Rows
) -> None:
    new = "a new long password"
    status, out, _ = await create_admin(database_url, "--email", "DEACTIVATED@example.org", password=new)
    assert (status, out) == (0, "DEACTIVATED@example.org was there and is now an active admin (user 4)\n")
    response = await web("GET", "/api/v1/users/4", who="deactivated", password=new)
    assert response.json()["role"] == "admin"
    assert response.json()["name"] == "deactivated"
    assert (await web("GET", "/api/v1/users/4", who="deactivated")).status_code == 401


@pytest.mark.parametrize(
    ("url", "email", "password", "complaint"),
    [
        ("postgresql://x@127.0.0.1:1/x", "a@example.org", PASSWORD, "the database cannot be used"),
        ("postgresql://x@127.0.0.1:1/x", "a@example.org", "short", "password"),
        ("postgresql://x@127.0.0.1:1/x", "a@example.org", "password1234", "password: this is one of the first"),
        (
            "postgresql://x@127.0.0.1:1/x",
            "ana.lopez@example.org",
            "ana.lopez@example.org",
            "password: this is the person's",
        ),
        ("postgresql://x@127.0.0.1:1/x", "nobody", PASSWORD, "this is no email address"),
        ("postgresql://x@127.0.0.1:1/x", "a@example.org", None, "nothing was changed"),
        ("nonsense", "a@example.org", PASSWORD, "PAGERPAL_DATABASE_URL is no URL"),
        ("mysql://x@127.0.0.1:1/x", "a@example.org", PASSWORD, "PAGERPAL_DATABASE_URL is no URL"),
        ("postgresql://x@127.0.0.1:port/x", "a@example.org", PASSWORD, "PAGERPAL_DATABASE_URL is no URL"),
        (None, "a@example.org", PASSWORD, "set PAGERPAL_DATABASE_URL, or start PagerPal first"),
    ],
)
async def test_what_goes_wrong_is_one_line(
    url: str | None, email: str, password: str | None, complaint: str, tmp_path: Path
) -> None:
    status, out, err = await create_admin(url, "--email", email, password=password, cwd=tmp_path)
    assert (status, out) == (1, "")
    assert complaint in err
    assert "Traceback" not in err
    assert password is None or err.count("\n") == 1
    assert password is None or password not in err


async def test_a_database_without_pagerpal_is_one_line(postgres_url: str) -> None:
    url = make_url(postgres_url).set(database="nothing").render_as_string(hide_password=False)
    status, _, err = await create_admin(url, "--email", "a@example.org")
    assert status == 1
    assert err == (
        'the database cannot be used (not connected: database "nothing" does not exist): '
        "is PagerPal running, and was it started on this database?\n"
    )


async def test_a_python_without_pagerpal_hands_over_to_the_repositorys_own(tmp_path: Path) -> None:
    status, _, err = await create_admin(None, "--email", "nobody", python="/usr/bin/python3", cwd=tmp_path)
    assert status == 1
    assert "this is no email address" in err
