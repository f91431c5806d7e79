"""How do services find a broker of several nodes? By one address, behind which only nodes that answer are listed.

What a Service of Kubernetes does, or compose's name for all three; on one machine somebody has to carry the bytes.
"""

import asyncio
import itertools
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress

from pagerpal_common.testing.processes import free_ports

CHUNK_BYTES = 64 * 1024
STOP_SECONDS = 10.0


@contextmanager
def balancer(ports: Sequence[int]) -> Iterator[int]:
    """The port at which connections go to these ports in turn, passing over those that nobody listens on."""
    (port,) = free_ports(1)
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    turns = itertools.count()

    async def carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        first = next(turns)
        for place in range(len(ports)):
            with suppress(OSError):
                back, forth = await asyncio.open_connection("127.0.0.1", ports[(first + place) % len(ports)])
                await asyncio.gather(_pump(reader, forth), _pump(back, writer))
                return
        writer.close()

    server = asyncio.run_coroutine_threadsafe(asyncio.start_server(carry, "127.0.0.1", port), loop).result()
    try:
        yield port
    finally:
        asyncio.run_coroutine_threadsafe(_end(server), loop).result(STOP_SECONDS)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(STOP_SECONDS)
        loop.close()


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Until one side ends; then the other does, too."""
    with suppress(OSError):
        while data := await reader.read(CHUNK_BYTES):
            writer.write(data)
            await writer.drain()
    writer.close()


async def _end(server: asyncio.Server) -> None:
    server.close()
    carrying = asyncio.all_tasks() - {asyncio.current_task()}
    for task in carrying:
        task.cancel()
    await asyncio.gather(*carrying, return_exceptions=True)
