"""What is in the image? The Dockerfile's own steps, executed here: its `RUN` lines, in other directories.

There need be no container engine, so what is not proved here is what such an engine does by itself: users, layers and
the base image. The directories are the only thing that is replaced.
"""

import os
import re
import subprocess
import sys
from pathlib import Path

from tests.deploy.tools import DEPLOY, ROOT

DOCKERFILE = DEPLOY / "Dockerfile"
SECONDS = 600
HOME, BUILD = "/opt/pagerpal", "/build"


def instructions() -> list[tuple[str, str]]:
    """Every instruction of the Dockerfile with its arguments, lines joined."""
    text = re.sub(r"^\s*#.*\n", "", DOCKERFILE.read_text(encoding="utf-8"), flags=re.MULTILINE)
    lines = re.sub(r"\\\n", " ", text).splitlines()
    return [(word, rest) for word, _, rest in (line.strip().partition(" ") for line in lines if line.strip())]


def build(directory: Path) -> Path:
    """Execute the build stage; the directory that the image would have as /opt/pagerpal."""
    home, context = directory / "opt", directory / "build"
    context.mkdir(parents=True)
    for word, rest in instructions():
        if word == "COPY" and not rest.startswith("--from"):
            source, target = rest.split()
            _copy(ROOT / source, Path(_here(target, home, context)))
        elif word == "RUN":
            _run(_here(rest, home, context))
    return home


def _here(text: str, home: Path, context: Path) -> str:
    return text.replace(HOME, str(home)).replace(BUILD, str(context))


def _copy(source: Path, target: Path) -> None:
    """As COPY does, without what .dockerignore leaves out: only files that are part of the repository."""
    listed = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", str(source)]
    names = subprocess.run(listed, cwd=ROOT, capture_output=True, check=True).stdout.decode().split("\0")
    for name in filter(None, names):
        path = ROOT / name
        if "tests" in path.relative_to(ROOT).parts or not path.exists():
            continue
        place = target if source.is_file() else target / path.relative_to(source)
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(path.read_bytes())


def _run(command: str) -> None:
    environ = {"PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin", "HOME": "/tmp", **_packaging()}
    finished = subprocess.run(
        ["/bin/sh", "-ec", command], check=False, env=environ, capture_output=True, text=True, timeout=SECONDS
    )
    assert finished.returncode == 0, f"{command}: {finished.stdout[-2000:]}{finished.stderr[-2000:]}"


def _packaging() -> dict[str, str]:
    """How this machine reaches its package index, and nothing else of ours."""
    names = [name for name in os.environ if name.startswith("PIP_") or name.lower().endswith("_proxy")]
    return {name: os.environ[name] for name in names} | {"PIP_DISABLE_PIP_VERSION_CHECK": "1"}
