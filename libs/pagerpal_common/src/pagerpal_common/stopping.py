"""How does a run end cleanly, whatever it is doing when it is told to stop?

SIGINT and SIGTERM are handled from the first moment: at once while nothing has begun, then by unwinding what was
started, and while requests are served by `pagerpal_common.server`. An end that was asked for has status 0.
"""

import asyncio
import os
import signal

SIGNALS = (signal.SIGINT, signal.SIGTERM)


def leave_at_once() -> None:
    """Until an event loop takes over a signal ends the process: importing takes a second, and nothing has begun.

    A process that is the first of its container has no default for a signal: what it does not handle is ignored
    (pid_namespaces(7)), and it would be killed only when the grace of its pod is over.
    """
    for number in SIGNALS:
        signal.signal(number, lambda *_: os._exit(0))


def cancel_when_told() -> None:
    """The first signal cancels the running task, so that it gives back what it has; later ones change nothing."""
    task = asyncio.current_task()
    assert task is not None  # noqa: S101 - it is called by one

    def stop() -> None:
        ignore_signals()
        task.cancel()

    loop = asyncio.get_running_loop()
    for number in SIGNALS:
        loop.add_signal_handler(number, stop)


def ignore_signals() -> None:
    """The end is under way; an impatient Ctrl-C must not cut it short."""
    loop = asyncio.get_running_loop()
    for number in SIGNALS:
        loop.add_signal_handler(number, lambda: None)
