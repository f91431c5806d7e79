"""What has a request brought? Its body, within bounds of size, time and depth, whatever its headers claim."""

import asyncio
import re

from pydantic import ValidationError
from starlette.requests import Request

from pagerpal_common.errors import TooLarge, Unavailable, Unprocessable, Unsupported

BODY_LIMIT = 64 * 1024
"""Bytes that a route takes when it does not say otherwise."""

BODY_SECONDS = 10.0
"""How long a body may take to come, whole."""

DEEPEST = 64
"""How many arrays and objects may lie in each other."""

# A string, to its end or to that of the text: what never ends must not be tried again from each of its quotes.
_STRING = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+(?:"|\\?\Z)', re.DOTALL)
_NO_BRACKETS = bytes(set(range(256)) - set(b"[]{}"))


async def read_body(request: Request, limit: int) -> bytes:
    """The raw body, whatever its Content-Type says (SNS sends JSON as text/plain).

    Raises:
        TooLarge: it is longer than `limit` bytes; counted as they arrive, whatever Content-Length says.
        Unsupported: it is compressed: a few bytes could unpack to gigabytes.
        Unavailable: it has not come within `BODY_SECONDS`. The line may be to blame, so the sender is to try again.
    """
    if _is_encoded(request):
        raise Unsupported("send the body uncompressed")
    chunks: list[bytes] = []
    size = 0
    try:
        async with asyncio.timeout(BODY_SECONDS):
            async for chunk in request.stream():
                size += len(chunk)
                if size > limit:
                    raise TooLarge(f"the body is larger than {limit} bytes")
                chunks.append(chunk)
    except TimeoutError:
        raise Unavailable("the body has not come in time") from None
    return b"".join(chunks)


def _is_encoded(request: Request) -> bool:
    """Whether a header names an encoding. One that names none, or several of which each is none, says nothing: empty
    elements of a list are ignored (RFC 9110 §5.6.1.2), and some proxies send the header empty."""
    named = ",".join(request.headers.getlist("content-encoding")).split(",")
    return any(encoding.strip().lower() not in {"", "identity"} for encoding in named)


async def read_json(request: Request, limit: int) -> bytes:
    """The raw body of what must be JSON; not parsed here, so that a model can do both at once.

    Raises:
        Unprocessable: it is nested deeper than `DEEPEST`.
        TooLarge, Unsupported, Unavailable: as of `read_body`.
    """
    body = await read_body(request, limit)
    if is_too_deep(body):
        problem = f"JSON must not be nested deeper than {DEEPEST} levels"
        raise Unprocessable([{"type": "json_depth", "loc": ["body"], "msg": problem}])
    return body


def is_too_deep(text: bytes) -> bool:
    """Whether more than `DEEPEST` arrays and objects are open somewhere in this JSON."""
    if text.count(b"[") + text.count(b"{") <= DEEPEST:
        return False
    depth = 0
    for bracket in _STRING.sub(b"", text).translate(None, _NO_BRACKETS):
        depth += 1 if bracket in b"[{" else -1
        if depth > DEEPEST:
            return True
    return False


def check_charset(request: Request) -> None:
    """Raises Unsupported when the request says that its body is in another encoding than UTF-8 (RFC 8259 §8.1).

    The media type does not matter: `curl -d` calls everything a form.
    """
    _, *parameters = request.headers.get("content-type", "").lower().split(";")
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.strip() == "charset" and value.strip(' "') not in {"utf-8", "utf8", "us-ascii"}:
            raise Unsupported("send the body in UTF-8")


def unprocessable(error: ValidationError, where: str) -> Unprocessable:
    """What does not fit, and where; never what was sent, which may be a password or a key."""
    problems = error.errors(include_url=False, include_input=False, include_context=False)
    return Unprocessable([{**problem, "loc": [where, *problem["loc"]]} for problem in problems])
