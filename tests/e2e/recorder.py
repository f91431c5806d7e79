"""What does a monitoring system really post? A receiver on 127.0.0.1 that keeps every body as it came."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

STOP_SECONDS = 10.0


@dataclass
class Recorder:
    """The bodies that came, the oldest first."""

    url: str
    bodies: list[bytes] = field(default_factory=list)


@contextmanager
def recorder() -> Iterator[Recorder]:
    """One that listens until the block ends."""
    recorded = Recorder("")

    class Keep(BaseHTTPRequestHandler):
        timeout = STOP_SECONDS

        def do_POST(self) -> None:
            recorded.bodies.append(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Nothing: what fails fails its story."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Keep)
    recorded.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield recorded
    finally:
        server.shutdown()
        thread.join(STOP_SECONDS)
        server.server_close()
