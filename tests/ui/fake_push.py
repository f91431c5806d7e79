"""A push service of a browser's maker, as far as PagerPal sees it: it takes what is posted, and keeps it."""

from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from queue import Queue
from threading import Thread


class FakePush:
    """Answers with `status`, and holds what it was sent until somebody takes it."""

    def __init__(self) -> None:
        self.host = ""
        self.status = 201
        self.bodies: Queue[bytes] = Queue()


@contextmanager
def fake_push() -> Iterator[FakePush]:
    """Running, on a port of this machine."""
    fake = FakePush()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            fake.bodies.put(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(fake.status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - as of its class
            """Nothing: the run's output is for its failures."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        fake.host = f"127.0.0.1:{server.server_port}"
        serving = Thread(target=server.serve_forever)
        serving.start()
        try:
            yield fake
        finally:
            server.shutdown()
            serving.join()
