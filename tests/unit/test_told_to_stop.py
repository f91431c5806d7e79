"""Does a service end when it is told to, however early? As the first process of its container: its kernel ignores every
signal that such a process does not handle, so that a pod would wait for the end of its grace."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import pytest

FIRST_OF_ITS_NAMESPACE = ("unshare", "--user", "--map-root-user", "--pid", "--fork", "--kill-child")
SERVICES = ("escalator", "incidents", "ingest", "notifier", "standalone", "web")
WAIT_SECONDS = 20.0


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_that_is_told_to_stop_while_it_is_being_loaded_stops(tmp_path: Path, service: str) -> None:
    (tmp_path / "uvloop.py").write_text("import time\n\ntime.sleep(600)\n")  # loading never ends
    environ = os.environ | {"PYTHONPATH": os.pathsep.join([str(tmp_path), *sys.path])}
    command = [*_first_of_its_namespace(), sys.executable, "-m", f"pagerpal_{service}"]

    with subprocess.Popen(command, env=environ) as started, ExitStack() as ending:
        ending.callback(started.kill)
        pid = started.pid if command[0] == sys.executable else _until(lambda: _child_of(started.pid))
        _until(lambda: _heeds_sigterm(pid))
        os.kill(pid, signal.SIGTERM)

        assert started.wait(WAIT_SECONDS) == 0


def _first_of_its_namespace() -> tuple[str, ...]:
    """What makes a process the first one, where that is allowed; elsewhere it is only looked at what it handles."""
    try:
        tried = subprocess.run(
            [*FIRST_OF_ITS_NAMESPACE, "true"], capture_output=True, check=False, timeout=WAIT_SECONDS
        )
    except FileNotFoundError:
        return ()
    return FIRST_OF_ITS_NAMESPACE if tried.returncode == 0 else ()


def _child_of(pid: int) -> int:
    """0 while there is none."""
    return int(Path(f"/proc/{pid}/task/{pid}/children").read_text() or 0)


def _heeds_sigterm(pid: int) -> bool:
    caught = int(Path(f"/proc/{pid}/status").read_text().partition("SigCgt:")[2].split()[0], 16)
    return bool(caught & 1 << (signal.SIGTERM - 1))


def _until(look: Callable[[], int]) -> int:
    deadline = time.monotonic() + WAIT_SECONDS
    while not (found := look()):
        assert time.monotonic() < deadline, "it does not heed the signal"
        time.sleep(0.01)
    return found
