"""Infobip on a real socket, as its OpenAPI documents say it is, and as it misbehaves."""

import asyncio
import json
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from jsonschema import Draft202012Validator
from referencing import Registry
from referencing.jsonschema import DRAFT202012

API_KEY = "infobip-test-key"

DOCUMENTS = Path(__file__).parent.parent / "infobip"
REQUESTS = {
    "/sms/3/messages": ("sms.openapi.json", "SmsRequestEnvelope"),
    "/tts/3/advanced": ("voice.openapi.json", "AdvancedTtsApiRequest"),
}
ANSWERS = {
    "/sms/3/messages": ("sms.openapi.json", "SmsResponseEnvelope"),
    "/tts/3/advanced": ("voice.openapi.json", "StandardVoiceResponse"),
}

LOGS = {"/sms/3/logs", "/voice/1/logs"}
"""Not in those documents; https://www.infobip.com/docs/api/channels/sms/logs-and-status-reports and …/voice/…"""

PENDING = {"groupId": 1, "groupName": "PENDING", "id": 26, "name": "PENDING_ACCEPTED", "description": "Accepted"}
DUPLICATE = {
    "groupId": 5,
    "groupName": "REJECTED",
    "id": 23,
    "name": "REJECTED_DUPLICATE_MESSAGE_ID",
    "description": "Duplicate message id",
}


@dataclass(frozen=True)
class Answer:
    """What to do with one request. By default: take it, and say so."""

    code: int = 200
    status: Mapping[str, object] = field(default_factory=lambda: PENDING)
    body: bytes | None = None
    """Instead of the usual one."""
    headers: Mapping[str, str] = field(default_factory=dict)
    is_taken: bool = True
    """Whether a message really goes out."""
    is_cut: bool = False
    """The connection ends without an answer."""
    is_silent: bool = False
    """No answer comes, ever."""
    early: Sequence[Mapping[str, object]] = ()
    """What is reported of the message before its own answer has left, in this order."""


TAKEN = Answer()
TAKEN_THEN_CUT = Answer(is_cut=True)
TAKEN_THEN_SILENT = Answer(is_silent=True)
TAKEN_THEN_GARBAGE = Answer(body=b"<html>oops</html>")
TAKEN_THEN_500 = Answer(code=500, body=b"")
CUT = Answer(is_taken=False, is_cut=True)


def http(code: int, body: bytes = b"{}", **headers: str) -> Answer:
    """An HTTP error; nothing goes out."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Answer(code=code, body=body, headers=named, is_taken=False)


def refused(number: int, name: str, group: int = 5, group_name: str = "REJECTED", description: str = "No") -> Answer:
    """An orderly answer that nothing goes out."""
    status = {"groupId": group, "groupName": group_name, "id": number, "name": name, "description": description}
    return Answer(status=status, is_taken=False)


# https://www.infobip.com/docs/sms/sms-over-api: what one number gets in an hour at most.
SAME_AN_HOUR = 6
DIFFERENT_AN_HOUR = 20
FLOODED = refused(20, "REJECTED_FLOODING_FILTER")


@dataclass(frozen=True)
class Call:
    """One request, as it came."""

    path: str
    to: str
    message_id: str
    text: str
    message: Mapping[str, Any]


Report = Callable[[Call, Mapping[str, object]], Awaitable[None]]
"""Takes the status of a message, as a delivery receipt has it."""


class FakeInfobip:
    """Answers by its script, then as if all were well. Refuses a message id that it has taken before."""

    def __init__(self) -> None:
        self.script: deque[Answer] = deque()
        self.sms_script: dict[str, deque[Answer]] = {}
        """What comes first for SMS to a number, before `script`."""
        self.report: Report | None = None
        """Where receipts go."""
        self.flooded: dict[str, list[str]] = {}
        """The texts of this hour to numbers that have the flooding filter."""
        self.calls: list[Call] = []
        self.taken: list[Call] = []
        """What really went out to handsets."""
        self.logs: dict[str, dict[str, Any]] = {}
        """What a log says of a message, by its id: the same as often as it is asked."""
        self.asked: list[tuple[str, str]] = []
        """Which log was asked for which message."""
        self.url = ""
        self.arrived = asyncio.Event()
        self.connections = 0
        self._open: set[asyncio.StreamWriter] = set()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        try:
            yield
        finally:
            server.close()
            for connection in self._open:
                connection.close()
            await server.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self._open.add(writer)
        try:
            while await self._exchange(reader, writer):
                pass
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    async def _exchange(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        request, *lines = head.strip().split("\r\n")
        headers = {name.lower(): value for name, value in (line.split(": ", 1) for line in lines)}
        assert headers["authorization"] == f"App {API_KEY}"
        if request.startswith("GET "):
            answer, taken = self._look_up(request.split(" ")[1])
        else:
            body = await reader.readexactly(int(headers["content-length"]))
            answer, taken = self._take(request, headers, json.loads(body))
            await self._tell_early(self.calls[-1], answer)
        if answer.is_silent:
            await reader.read()
        if answer.is_silent or answer.is_cut:
            return False
        extra = "".join(f"{name}: {value}\r\n" for name, value in answer.headers.items())
        writer.write(f"HTTP/1.1 {answer.code} X\r\n{extra}Content-Length: {len(taken)}\r\n\r\n".encode() + taken)
        await writer.drain()
        return True

    def _look_up(self, target: str) -> tuple[Answer, bytes]:
        parts = urlsplit(target)
        query = parse_qs(parts.query)
        assert parts.path in LOGS
        assert set(query) == {"messageId", "limit"}
        (message_id,) = query["messageId"]
        self.asked.append((parts.path, message_id))
        answer = self.script.popleft() if self.script else Answer()
        results = [self.logs[message_id]] if message_id in self.logs else []
        return answer, json.dumps({"results": results}).encode() if answer.body is None else answer.body

    def _take(self, request: str, headers: Mapping[str, str], body: Any) -> tuple[Answer, bytes]:
        method, path, _ = request.split(" ")
        assert method == "POST"
        assert headers["content-type"] == "application/json"
        check(REQUESTS[path], body)
        call = _call(path, body)
        answer = self._next(call)
        is_known = call.message_id in {one.message_id for one in self.taken}
        self.calls.append(call)
        if answer.is_taken and not is_known:
            self.taken.append(call)
        self.arrived.set()
        status = DUPLICATE if answer.is_taken and is_known else answer.status
        return answer, _answer(call, status) if answer.body is None else answer.body

    def _next(self, call: Call) -> Answer:
        own = self.sms_script.get(call.to) if call.path.startswith("/sms") else None
        if own:
            return own.popleft()
        texts = self.flooded.get(call.to, [])
        if texts.count(call.text) >= SAME_AN_HOUR or len(set(texts)) >= DIFFERENT_AN_HOUR:
            return FLOODED
        return self.script.popleft() if self.script else TAKEN

    async def _tell_early(self, call: Call, answer: Answer) -> None:
        for status in answer.early:
            assert self.report is not None
            await self.report(call, status)


def check(schema: tuple[str, str], body: Any) -> None:
    """The body is what the document says, with nothing it does not know.

    Raises:
        jsonschema.ValidationError: it is not.
    """
    _validator(*schema).validate(body)


@cache
def _validator(file: str, name: str) -> Draft202012Validator:
    document = _closed(json.loads((DOCUMENTS / file).read_text(encoding="utf-8")))
    registry: Registry[Any] = Registry().with_resource("urn:api", DRAFT202012.create_resource(document))
    return Draft202012Validator({"$ref": f"urn:api#/components/schemas/{name}"}, registry=registry)


def _closed(node: Any) -> Any:
    """The document, where an object with named properties has no others."""
    if isinstance(node, list):
        return [_closed(one) for one in node]
    if not isinstance(node, dict):
        return node
    closed = {key: _closed(value) for key, value in node.items()}
    if isinstance(node.get("properties"), dict) and node.get("type") == "object":
        closed.setdefault("additionalProperties", False)
    return closed


def _call(path: str, body: Any) -> Call:
    (message,) = body["messages"]
    (destination,) = message["destinations"]
    text = message["content"]["text"] if path.startswith("/sms") else message["text"]
    return Call(path, destination["to"], destination["messageId"], text, message)


def _answer(call: Call, status: Mapping[str, object]) -> bytes:
    named = "destination" if call.path.startswith("/sms") else "to"
    body = {"messages": [{"messageId": call.message_id, "status": dict(status), named: call.to}]}
    check(ANSWERS[call.path], body)
    return json.dumps(body).encode()
