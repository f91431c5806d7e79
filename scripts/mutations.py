"""Can the tests fail? Each deliberate bug here must turn a named test red: `.venv/bin/python scripts/mutations.py`.

The bugs are planted in a copy of the tree, one at a time. Takes some minutes, so CI does not run it; whoever changes
one of these lines or tests should.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from planted import Mutation
from planted_elsewhere import ELSEWHERE
from planted_in_sending import IN_SENDING
from planted_in_storms import IN_STORMS
from planted_in_web import IN_WEB

ROOT = Path(__file__).parents[1]
MUTATIONS = (*ELSEWHERE, *IN_SENDING, *IN_STORMS, *IN_WEB)


def main() -> None:
    survivors = []
    with tempfile.TemporaryDirectory(prefix="pagerpal-mutations-") as folder:
        copy = Path(folder) / "tree"
        shutil.copytree(ROOT, copy, ignore=shutil.ignore_patterns(".venv", ".git", ".pagerpal", "__pycache__"))
        for mutation in MUTATIONS:
            is_caught = _is_caught(mutation, copy)
            print(f"{'red     ' if is_caught else 'SURVIVED'}  {mutation.bug}", flush=True)
            survivors += [] if is_caught else [mutation.bug]
    if survivors:
        sys.exit(f"{len(survivors)} of {len(MUTATIONS)} bugs were not noticed")


def _is_caught(mutation: Mutation, copy: Path) -> bool:
    """Plant the bug, run its test, put the file back. The test must pass without the bug for this to mean anything."""
    file = copy / mutation.file
    source = file.read_text(encoding="utf-8")
    if source.count(mutation.old) != 1:
        sys.exit(f"the list is out of date: {mutation.old!r} is not once in {mutation.file}")
    if _run(mutation.test, copy) != 0:
        sys.exit(f"this fails without any bug: {mutation.test}")
    file.write_text(source.replace(mutation.old, mutation.new), encoding="utf-8")
    try:
        return _run(mutation.test, copy) != 0
    finally:
        file.write_text(source, encoding="utf-8")


def _run(test: str, copy: Path) -> int:
    sources = [str(path) for path in (*copy.glob("libs/*/src"), *copy.glob("services/*/src"))]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sources), "PYTHONDONTWRITEBYTECODE": "1"}
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", "--timeout=60", test]
    return subprocess.run(command, cwd=copy, env=environment, capture_output=True, check=False).returncode


if __name__ == "__main__":
    main()
