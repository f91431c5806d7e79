"""Can the tests fail? Each deliberate bug here must turn a named test red: `.venv/bin/python scripts/mutations.py`.

The bugs are planted in a copy of the tree, one at a time. Takes some minutes, so CI does not run it; whoever changes
one of these lines or tests should, for a part of the tree: `scripts/mutations.py notifier/src test_links.py` plants
those whose file or test contains one of the words. That each can still be planted is a unit test
(`tests/unit/test_planted_bugs.py`).
"""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from planted import Mutation
from planted_elsewhere import ELSEWHERE
from planted_in_incidents import IN_INCIDENTS
from planted_in_ingest import IN_INGEST
from planted_in_paging import IN_PAGING
from planted_in_sending import IN_SENDING
from planted_in_storms import IN_STORMS
from planted_in_web import IN_WEB

ROOT = Path(__file__).parents[1]
MUTATIONS = (*ELSEWHERE, *IN_INCIDENTS, *IN_INGEST, *IN_PAGING, *IN_SENDING, *IN_STORMS, *IN_WEB)


def main(words: Sequence[str]) -> None:
    """Plant all bugs, or those whose file or test contains one of the words."""
    if outdated := list(misfits(MUTATIONS)):
        sys.exit("\n".join(outdated))
    chosen = [one for one in MUTATIONS if not words or any(word in one.file or word in one.test for word in words)]
    survivors = []
    with tempfile.TemporaryDirectory(prefix="pagerpal-mutations-") as folder:
        copy = Path(folder) / "tree"
        shutil.copytree(ROOT, copy, ignore=shutil.ignore_patterns(".venv", ".git", ".pagerpal", "__pycache__"))
        for mutation in chosen:
            is_caught = _is_caught(mutation, copy)
            print(f"{'red     ' if is_caught else 'SURVIVED'}  {mutation.bug}", flush=True)
            survivors += [] if is_caught else [mutation.bug]
    if survivors:
        sys.exit(f"{len(survivors)} of {len(chosen)} bugs were not noticed")


def misfits(mutations: Sequence[Mutation]) -> Iterator[str]:
    """Which bugs can no longer be planted, or have lost their test, since the code has changed; a line each."""
    for one in mutations:
        if _count(one.file, one.old) != 1:
            yield f"{one.bug}: {one.old!r} is not once in {one.file}"
        test, _, name = one.test.partition("::")
        if not (_count(test, f"def {name.partition('[')[0]}(") if name else (ROOT / test).exists()):
            yield f"{one.bug}: there is no {one.test}"


def _count(file: str, words: str) -> int:
    path = ROOT / file
    return path.read_text(encoding="utf-8").count(words) if path.exists() else 0


def _is_caught(mutation: Mutation, copy: Path) -> bool:
    """Plant the bug, run its test, put the file back. The test must pass without the bug for this to mean anything."""
    file = copy / mutation.file
    source = file.read_text(encoding="utf-8")
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
    main(sys.argv[1:])
