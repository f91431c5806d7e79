"""What does Infobip see? A real HTTP server that speaks its SMS and voice API, and holds every request to the contract.

Each body is checked against Infobip's own OpenAPI schemas (`infobip/*.openapi.json`), and so are the answers given
here. What breaks the contract is kept in `violations`, and fails the test in which it happens.
"""

import asyncio
import json
import threading
import time
from collections import defaultdict, deque
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import Any, Literal

import httpx
import uvicorn
from jsonschema import Draft202012Validator
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

SPECIFICATIONS = Path(__file__).parent / "infobip"
API_KEY = "a-key-that-only-the-tests-know"
RECEIPT_TOKEN = "a-token-that-only-the-tests-know"
SLOW_SECONDS = 2.0

PENDING = {"groupId": 1, "groupName": "PENDING", "id": 26, "name": "PENDING_ACCEPTED", "description": "Accepted"}
REJECTED = {
    "groupId": 5,
    "groupName": "REJECTED",
    "id": 6,
    "name": "REJECTED_NETWORK",
    "description": "Network is forbidden",
}
DUPLICATE = {
    "groupId": 5,
    "groupName": "REJECTED",
    "id": 23,
    "name": "REJECTED_DUPLICATE_MESSAGE_ID",
    "description": "Duplicate message id",
}

HANDSET = {
    "groupId": 3,
    "groupName": "DELIVERED",
    "id": 5,
    "name": "DELIVERED_TO_HANDSET",
    "description": "Message delivered to handset",
}
NOT_DELIVERED = {
    "groupId": 2,
    "groupName": "UNDELIVERABLE",
    "id": 9,
    "name": "UNDELIVERABLE_NOT_DELIVERED",
    "description": "Message sent not delivered",
}

Kind = Literal["sms", "call"]


class Behaviour(Enum):
    """What Infobip does with the next request to a number."""

    ACCEPT = "takes it"
    REJECT = "refuses it for good"
    UNAVAILABLE = "answers 503 and has not taken it"
    TOO_MANY = "answers 429 and has not taken it"
    DROP = "takes it, and the connection breaks before the answer"
    SLOW = "takes it, and answers late"


@dataclass(frozen=True)
class Asked:
    """One request, for one destination."""

    kind: Kind
    number: str
    text: str
    message_id: str
    is_taken: bool
    """Infobip now has this message: somebody's phone rings."""
    at: float


@dataclass
class FakeInfobip:
    """The log of everything asked, and the script of what is answered."""

    url: str = ""
    asked: list[Asked] = field(default_factory=list)
    violations: list[str] = field(default_factory=list)
    strangers: int | None = None
    """How many requests with a wrong key it has refused; None while such a key breaks the contract."""
    _script: dict[str, deque[Behaviour]] = field(default_factory=lambda: defaultdict(deque))
    _taken_ids: set[str] = field(default_factory=set)

    def will(self, number: str, *behaviours: Behaviour) -> None:
        """What to do with the next requests to a number; after these it accepts."""
        self._script[number.lstrip("+")].extend(behaviours)

    def pages(self) -> list[tuple[int, Asked]]:
        """What reached a phone, with its place in the log."""
        return [(place, one) for place, one in enumerate(self.asked) if one.is_taken]

    async def report(self, base_url: str, *reports: tuple["Asked", Mapping[str, Any]]) -> httpx.Response:
        """Post delivery receipts, as in the example of the specification; what PagerPal answers."""
        body = {"results": [_report(asked, status) for asked, status in reports]}
        headers = {"X-Infobip-Receipt-Token": RECEIPT_TOKEN}
        async with httpx.AsyncClient(base_url=base_url, headers=headers, timeout=15, trust_env=False) as client:
            return await client.post("/api/v1/notifications/infobip/receipts", json=body)

    async def pass_on(self, base_url: str, *messages: Mapping[str, Any]) -> httpx.Response:
        """Post SMS that came in (`SmsMoReport`); what PagerPal answers."""
        body = {"results": list(messages), "messageCount": len(messages), "pendingMessageCount": 0}
        headers = {"X-Infobip-Receipt-Token": RECEIPT_TOKEN}
        async with httpx.AsyncClient(base_url=base_url, headers=headers, timeout=15, trust_env=False) as client:
            return await client.post("/api/v1/notifications/infobip/inbound", json=body)

    async def answer(self, kind: Kind, request: Request) -> Response:
        body = await request.body()
        if self.strangers is not None and request.headers.get("authorization") != f"App {API_KEY}":
            self.strangers += 1
            return JSONResponse(_UNAUTHORIZED, 401)
        problems = _problems(kind, request.headers.get("authorization"), body)
        if problems:
            self.violations += problems
            return JSONResponse(_error("Bad request"), 400)
        (message,) = json.loads(body)["messages"]
        (destination,) = message["destinations"]
        return await self._play(kind, destination, message)

    async def _play(self, kind: Kind, destination: Mapping[str, str], message: Mapping[str, Any]) -> Response:
        script = self._script[destination["to"]]
        behaviour = script.popleft() if script else Behaviour.ACCEPT
        is_repeated = destination["messageId"] in self._taken_ids
        is_taken = not is_repeated and behaviour in {Behaviour.ACCEPT, Behaviour.DROP, Behaviour.SLOW}
        if is_taken:
            self._taken_ids.add(destination["messageId"])
        text = message["content"]["text"] if kind == "sms" else message["text"]
        self.asked.append(
            Asked(kind, destination["to"], text, destination["messageId"], is_taken, time.monotonic()),
        )
        if behaviour is Behaviour.UNAVAILABLE:
            return JSONResponse(_error("Service unavailable"), 503)
        if behaviour is Behaviour.TOO_MANY:
            return JSONResponse(_error("Too many requests"), 429, {"Retry-After": "1"})
        if behaviour is Behaviour.SLOW:
            await asyncio.sleep(SLOW_SECONDS)
        status = DUPLICATE if is_repeated else REJECTED if behaviour is Behaviour.REJECT else PENDING
        answer = _answer(kind, destination, status)
        return _Broken() if behaviour is Behaviour.DROP else JSONResponse(answer)


_UNAUTHORIZED = {"requestError": {"serviceException": {"messageId": "UNAUTHORIZED", "text": "Invalid login details"}}}


class _Broken(Response):
    """Promises a body and closes the connection instead."""

    def __init__(self) -> None:
        super().__init__(headers={"Content-Length": "1000"})


def _answer(kind: Kind, destination: Mapping[str, str], status: Mapping[str, Any]) -> dict[str, Any]:
    """As in the examples of the two specifications."""
    where = "destination" if kind == "sms" else "to"
    message = {"messageId": destination["messageId"], "status": status, where: destination["to"]}
    if kind == "sms":
        message["details"] = {"messageCount": 1}
    answer = {"bulkId": "2034072219640523072", "messages": [message]}
    _ANSWERS[kind].validate(answer)
    return answer


def pressed(key: str) -> dict[str, Any]:
    """What to report of a call that was answered with this key."""
    return {**HANDSET, "voiceCall": {"feature": "Text-to-Speech", "duration": 20, "dtmfCodes": key}}


def _report(asked: Asked, told: Mapping[str, Any]) -> dict[str, Any]:
    status = {name: value for name, value in told.items() if name != "voiceCall"}
    is_lost = status["groupName"] != "DELIVERED"
    call = {"voiceCall": told["voiceCall"]} if "voiceCall" in told else {}
    return call | {
        "bulkId": "2034072219640523072",
        "messageId": asked.message_id,
        "to": asked.number,
        "sentAt": "2026-05-21T12:00:00.000+0000",
        "doneAt": "2026-05-21T12:00:03.000+0000",
        "messageCount": 1,
        "price": {"pricePerMessage": 0.01, "currency": "EUR"},
        "status": status,
        "error": {
            "groupId": 1 if is_lost else 0,
            "groupName": "HANDSET_ERRORS" if is_lost else "OK",
            "id": 27 if is_lost else 0,
            "name": "EC_ABSENT_SUBSCRIBER" if is_lost else "NO_ERROR",
            "description": "Absent Subscriber" if is_lost else "No Error",
            "permanent": False,
        },
    }


def _error(description: str) -> dict[str, Any]:
    return {"errorCode": "E500", "description": description, "action": "Try again.", "violations": [], "resources": []}


def _problems(kind: Kind, authorization: str | None, body: bytes) -> list[str]:
    """What is wrong with a request; nothing, if all is well."""
    try:
        given = json.loads(body)
    except ValueError:
        return [f"{kind}: the body is not JSON"]
    found = [f"{kind}: {error.json_path}: {error.message}" for error in _REQUESTS[kind].iter_errors(given)]
    if authorization != f"App {API_KEY}":
        found.append(f"{kind}: wrong Authorization header")
    if not found:
        found += _broken_promises(kind, given)
    return found


def _broken_promises(kind: Kind, given: Mapping[str, Any]) -> list[str]:
    """PagerPal's own promise, beyond the schema: one destination per request, with an id that PagerPal made."""
    destinations = [destination for message in given["messages"] for destination in message["destinations"]]
    if len(given["messages"]) != 1 or len(destinations) != 1:
        return [f"{kind}: {len(destinations)} destinations in one request"]
    number = destinations[0]["to"]
    problems = [] if destinations[0].get("messageId") else [f"{kind}: no messageId"]
    if not number.isdigit():
        problems.append(f"{kind}: the destination is not an international number in digits")
    if kind == "call" and not given["messages"][0].get("text"):
        problems.append("call: nothing to say")
    return problems


def _validator(file: str, name: str) -> Draft202012Validator:
    document = json.loads((SPECIFICATIONS / file).read_text())
    schemas = document["components"]["schemas"]
    for schema in schemas.values():
        if schema.get("properties") or "allOf" in schema:
            schema["unevaluatedProperties"] = False  # a misspelt field is ignored by Infobip: here it is an error
    return Draft202012Validator({"$ref": f"#/components/schemas/{name}", "components": {"schemas": schemas}})


_REQUESTS: Mapping[Kind, Draft202012Validator] = {
    "sms": _validator("sms.openapi.json", "SmsRequestEnvelope"),
    "call": _validator("voice.openapi.json", "AdvancedTtsApiRequest"),
}
_ANSWERS: Mapping[Kind, Draft202012Validator] = {
    "sms": _validator("sms.openapi.json", "SmsResponseEnvelope"),
    "call": _validator("voice.openapi.json", "StandardVoiceResponse"),
}


@contextmanager
def fake_infobip() -> Iterator[FakeInfobip]:
    """The server, on a free port, in a thread of its own: its log outlives every test's event loop."""
    infobip = FakeInfobip()

    async def sms(request: Request) -> Response:
        return await infobip.answer("sms", request)

    async def call(request: Request) -> Response:
        return await infobip.answer("call", request)

    routes = [Route("/sms/3/messages", sms, methods=["POST"]), Route("/tts/3/advanced", call, methods=["POST"])]
    config = uvicorn.Config(Starlette(routes=routes), port=0, log_config=None, lifespan="off", access_log=False)
    socket = config.bind_socket()
    infobip.url = f"http://127.0.0.1:{socket.getsockname()[1]}"
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, args=([socket],), daemon=True)
    thread.start()
    try:
        yield infobip
    finally:
        server.should_exit = True
        thread.join(10)
        socket.close()
