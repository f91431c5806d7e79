"""What is left of a connection that never came up? Looked at in a process of its own: here others hold on to it."""

import subprocess
import sys

ATTEMPTS = """
import asyncio, gc, socket
from pagerpal_common.bus import rabbit_link

rabbit_link.RECONNECT_SECONDS = 0.01
tried = 0

def attempt(*_, **__):
    global tried
    tried += 1

rabbit_link.log.warning = attempt

async def main(port):
    link = rabbit_link.Link(f"amqp://127.0.0.1:{port}/", "nobody", None)
    link.start()
    while tried < 3:
        await asyncio.sleep(0.01)
    await link.stop()
    await asyncio.to_thread(gc.collect)

gc.disable()
with socket.create_server(("127.0.0.1", 0)) as taken:
    port = taken.getsockname()[1]
asyncio.run(main(port))
"""


def test_an_attempt_that_failed_may_be_collected_by_any_thread() -> None:
    """It has nothing to close, and a coroutine of its own would run nowhere there."""
    command = [sys.executable, "-W", "error", "-c", ATTEMPTS]

    finished = subprocess.run(command, check=False, capture_output=True, text=True, timeout=60)

    assert finished.returncode == 0, finished.stderr
    assert "never awaited" not in finished.stderr
