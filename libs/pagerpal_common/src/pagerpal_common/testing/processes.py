"""How do tests run a server that is not ours? On 127.0.0.1, on free ports, and not a moment longer than they run."""

import contextlib
import os
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

END_SECONDS = 60.0


@contextmanager
def process(command: list[str], environment: dict[str, str]) -> Iterator[None]:
    """A process for as long as the context is open."""
    running = spawn(command, environment, None)
    watchdog = watch(running)
    try:
        yield
    finally:
        end(running, watchdog)


def spawn(command: list[str], environment: dict[str, str], output: Path | None) -> subprocess.Popen[bytes]:
    """Start a process in a group of its own; what it prints is added to the file."""
    with (output or Path(os.devnull)).open("ab") as sink:
        return subprocess.Popen(  # noqa: S603 the arguments are ours
            command, env=environment, stdin=subprocess.DEVNULL, stdout=sink, stderr=sink, start_new_session=True
        )


def watch(process: subprocess.Popen[bytes]) -> subprocess.Popen[bytes]:
    """A shell that kills the process's group when we end, however we end: our end of its pipe closes then.

    Not PR_SET_PDEATHSIG: that follows the thread that started the process, which in a test may be a worker's.
    """
    script = 'read -r _; kill -KILL "-$1" 2>/dev/null'
    command = ["/bin/sh", "-c", script, "watchdog", str(process.pid)]
    return subprocess.Popen(command, stdin=subprocess.PIPE, start_new_session=True)  # noqa: S603 a fixed script


def end(process: subprocess.Popen[bytes], watchdog: subprocess.Popen[bytes] | None) -> None:
    """Kill a process with its children, and wait until it is gone."""
    if watchdog is not None and watchdog.stdin is not None:
        watchdog.stdin.close()  # which makes it kill the group, children included
        watchdog.wait(END_SECONDS)
    process.wait(END_SECONDS)


def free_ports(count: int) -> list[int]:
    """Ports that nobody listens on just now."""
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(count)]
        return [one.getsockname()[1] for one in sockets]
