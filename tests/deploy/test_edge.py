"""Does the real edge send each path to the service that it belongs to? nginx, and the five processes behind it."""

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import pytest
from pagerpal_common.contracts.http import OF_INGEST
from pagerpal_standalone.edge import service_for
from pagerpal_web.api import ENDPOINTS

from tests.deploy.installation import Installation, Replica

PATHS = sorted({operation.path for operation in OF_INGEST} | {row.path for row in ENDPOINTS if "{" not in row.path})


@contextmanager
def standing_in(here: Installation, service: str, answer: bytes) -> Iterator[list[bytes]]:
    """In the place of a service: whatever is asked gets this answer. Gives what was asked."""
    asked: list[bytes] = []
    server = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                connection, _ = server.accept()
            except OSError:
                return
            with connection:
                connection.settimeout(5)
                asked.append(connection.recv(65536))
                connection.sendall(answer)

    threading.Thread(target=serve, daemon=True).start()
    kept = here.replicas[service]
    real = kept[0]
    here.replicas[service] = [Replica(service, server.getsockname()[1], real.process, real.watchdog)]
    here.route()
    try:
        yield asked
    finally:
        here.replicas[service] = kept
        here.route()
        server.close()


def says(text: str) -> bytes:
    return f"HTTP/1.1 200 OK\r\nContent-Length: {len(text)}\r\nConnection: close\r\n\r\n{text}".encode()


def test_every_public_path_goes_to_the_service_that_serves_it(here: Installation) -> None:
    edges = ["/api/v1/alert-sources", "/api/v1/alerts/1", "/api/v1/alertsx", "/v2/enqueue/", "/v2", "/", "/events"]
    with (
        standing_in(here, "ingest", says("ingest")),
        standing_in(here, "web", says("web")),
        httpx.Client(base_url=here.url, trust_env=False) as client,
    ):
        found = {path: client.get(path).text for path in (*PATHS, *edges)}

    assert found == {path: service_for(path) for path in found}
    assert set(found.values()) == {"ingest", "web"}


def test_what_a_client_says_of_itself_is_dropped_and_what_it_asks_for_is_kept(here: Installation) -> None:
    with standing_in(here, "ingest", says("")) as asked, httpx.Client(trust_env=False) as client:
        headers = {"X-Forwarded-For": "192.0.2.66", "X-Forwarded-Proto": "https", "Host": "pager.example.org"}
        client.post(f"{here.url}/api/v1/alerts?api_key=abc%20d", headers=headers, content=b"{}")

    head = asked[0].decode().lower()
    assert head.startswith("post /api/v1/alerts?api_key=abc%20d http/1.1")
    assert "x-forwarded-for: 127.0.0.1\r\n" in head
    assert "x-forwarded-proto: http\r\n" in head
    assert "host: pager.example.org\r\n" in head
    assert "api_key" not in (here.directory / "edge.log").read_text()


def test_events_are_passed_on_one_by_one(here: Installation) -> None:
    head = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n"
    gate = threading.Event()
    server = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        connection, _ = server.accept()
        with connection:
            connection.recv(65536)
            connection.sendall(f"{head}data: first\n\n".encode())
            gate.wait(10)
            connection.sendall(b"data: second\n\n")

    threading.Thread(target=serve, daemon=True).start()
    kept = here.replicas["web"]
    here.replicas["web"] = [Replica("web", server.getsockname()[1], kept[0].process, kept[0].watchdog)]
    here.route()
    try:
        with httpx.stream("GET", f"{here.url}/events", timeout=10, trust_env=False) as answer:
            events = answer.iter_raw()
            first = next(events)
            gate.set()
            rest = b"".join(events)
    finally:
        here.replicas["web"] = kept
        here.route()
        server.close()

    assert first == b"data: first\n\n"  # and not only once the second has come
    assert rest == b"data: second\n\n"


def test_a_service_that_is_away_is_answered_503_and_come_again(here: Installation) -> None:
    (gone,) = (one for one in here.replicas["ingest"])
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    here.replicas["ingest"] = [Replica("ingest", port, gone.process, gone.watchdog)]
    here.route()
    try:
        answer = httpx.post(f"{here.url}/api/v1/alerts", json={}, trust_env=False)
    finally:
        here.replicas["ingest"] = [gone]
        here.route()

    assert answer.status_code == 503
    assert answer.headers["retry-after"] == "2"
    assert "try again" in json.loads(answer.text)["detail"]


@pytest.mark.parametrize(("path", "status"), [("/health", 200), ("/api/v1/teams", 401), ("/docs", 200)])
def test_the_real_services_answer_through_it(here: Installation, path: str, status: int) -> None:
    assert httpx.get(here.url + path, trust_env=False).status_code == status
    assert httpx.post(f"{here.url}/api/v1/alerts", json={}, trust_env=False).status_code == 401
