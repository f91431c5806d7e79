"""What may a connection do before it is a request? Send a head of bounded size in bounded time; uvicorn bounds neither.

Without this a few hundred clients that send a byte now and then would hold every file descriptor of a process, and
PostgreSQL and the broker would be away for everybody (slowloris; RFC 9110 §15.5.9, RFC 6585 §5).
"""

import asyncio
import json
import resource

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from pagerpal_common.http.answers import RETRY_AFTER_SECONDS
from pagerpal_common.http.guard import HARDENED

HEAD_LIMIT = 16 * 1024
"""Bytes of request target and headers."""

HEAD_SECONDS = 10.0
"""How long a head may take from its first byte, or whatever comes when no request is under way."""

CONNECTIONS_LIMIT = 5_000
"""Connections that one process keeps, working or idle; fewer where the system allows fewer files."""


def connections_limit() -> int:
    """How many connections leave enough files for the database, the broker and the providers."""
    files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return CONNECTIONS_LIMIT if files == resource.RLIM_INFINITY else min(CONNECTIONS_LIMIT, files * 3 // 4)


class Connection(HttpToolsProtocol):
    """uvicorn's connection. What it says by itself is in our words: JSON, `{"detail": …}`."""

    _limit = connections_limit()
    _in_head = False
    _chunk = 0
    """Bytes that came last."""
    _most, _least = 0, 0
    """Between so many bytes of the present head have come: where in a chunk a head begins is not known."""
    _is_too_large = False
    _alarm: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        if len(self.connections) > self._limit:
            self._refuse(503, "PagerPal has too many connections just now; try again")
        else:
            self._wait_for_a_request()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_alarm()
        self._unset_keepalive_if_required()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        self._chunk = len(data)
        if self._in_head:
            self._most += self._chunk
            self._least += self._chunk
        super().data_received(data)
        if self.transport.is_closing():
            return
        if self._in_head and self._least > HEAD_LIMIT:
            self._refuse_head()
        elif self._alarm is None and self.timeout_keep_alive_task is None and self._is_idle():
            self._alarm = self.loop.call_later(HEAD_SECONDS, self._on_alarm)

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._in_head = True
        self._most, self._least = self._chunk, 0

    def on_headers_complete(self) -> None:
        self._in_head = False
        self._stop_alarm()
        if self._most > HEAD_LIMIT and self._head_size() > HEAD_LIMIT:
            self._is_too_large = True
            raise ValueError("the head is too large")  # ends the parsing; uvicorn then wants to send its 400
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        super().on_message_complete()
        if self._alarm is not None:  # the rest of a body that was answered before it had come
            self._stop_alarm()
            self._wait_for_a_request()

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002 - uvicorn's text
        if self._is_too_large:
            self._refuse_head()
        else:
            self._refuse(400, "this is no HTTP request that can be read")

    def _wait_for_a_request(self) -> None:
        """As long as between two requests."""
        self.timeout_keep_alive_task = self.loop.call_later(self.timeout_keep_alive, self.timeout_keep_alive_handler)

    def _is_idle(self) -> bool:
        return self.cycle is None or self.cycle.response_complete

    def _head_size(self) -> int:
        return len(self.url) + sum(len(name) + len(": ") + len(value) + len("\r\n") for name, value in self.headers)

    def _on_alarm(self) -> None:
        self._alarm = None
        if self._in_head:
            self._refuse(408, "the request has not come in time")
        else:
            self.transport.close()

    def _stop_alarm(self) -> None:
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None

    def _refuse_head(self) -> None:
        self._refuse(431, f"the request's headers are larger than {HEAD_LIMIT} bytes")

    def _refuse(self, status: int, detail: str) -> None:
        """The last words on this connection."""
        body = json.dumps({"detail": detail}).encode()
        headers = [
            *self.server_state.default_headers,
            *HARDENED.items(),
            (b"content-type", b"application/json"),
            (b"content-length", str(len(body)).encode()),
            (b"connection", b"close"),
        ]
        if status == 503:
            headers.append((b"retry-after", RETRY_AFTER_SECONDS.encode()))
        lines = b"".join(name + b": " + value + b"\r\n" for name, value in headers)
        self.transport.write(STATUS_LINE[status] + lines + b"\r\n" + body)
        self.transport.close()
