"""How is something posted to a URL that a person wrote down? What webhook and slack share.

Which URLs are let through is decided in `domain/public_urls.py`, which addresses in `pagerpal_common.public_internet`.
The name is resolved once and the connection goes to an address that was looked at, so nothing can be made to resolve
elsewhere in between; TLS is verified for the name. No redirect is followed and no proxy taken from the environment. A
connection each: one that is kept for an address would be shared by all the names behind it.
"""

import asyncio
import socket
from collections.abc import Mapping
from dataclasses import dataclass

import httpx
from pagerpal_common.public_internet import is_public
from pagerpal_common.tls import trusted

from pagerpal_notifier.domain.delivery import Outcome, Verdict
from pagerpal_notifier.domain.public_urls import problem_of_url

CONNECT_SECONDS = 1.5
"""Shorter than a whole send may take, even twice: what cannot be reached is known to have nothing."""

ADDRESSES = 2
"""Of a host that are tried: one network of ours may lead nowhere (IPv6), while the other does."""

BODY_LIMIT = 1024
"""Bytes of a refusal's text that are read; more is not, and is no error."""

BODY_SECONDS = 1.0
"""How long a refusal's text is waited for."""

# Nothing of the request has left us yet.
_NOTHING_WRITTEN = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)


@dataclass(frozen=True)
class Answer:
    """What came back. Of a 2xx the text is not read."""

    status: int
    text: str
    retry_after: str | None


class _Closed(Exception):
    """The URL leads where nothing is posted, for the reason in its text."""


async def post(name: str, url: str, body: bytes, headers: Mapping[str, str], *, is_guarded: bool) -> Answer | Outcome:
    """POST once. The caller limits the time.

    Args:
        name: the channel's, for the outcome.
        is_guarded: only https, and only to addresses of the public internet; otherwise anywhere, for development.

    Returns:
        The answer, or without one what is known of the message.
    """
    try:
        return await _post(url, body, headers, is_guarded=is_guarded)
    except _Closed as closed:
        return Outcome(Verdict.REFUSED, f"{name}: the URL cannot be used: {closed}")
    except (socket.gaierror, TimeoutError, *_NOTHING_WRITTEN) as error:
        return Outcome(Verdict.DEFERRED, f"{name}: it cannot be reached: {type(error).__name__}")
    except httpx.RequestError as error:
        return Outcome(Verdict.UNKNOWN, f"{name}: no answer: {type(error).__name__}")


async def _post(url: str, body: bytes, headers: Mapping[str, str], *, is_guarded: bool) -> Answer:
    problem = problem_of_url(url, schemes={"https"} if is_guarded else {"https", "http"})
    if problem is not None:
        raise _Closed(problem)
    try:
        named = httpx.URL(url)
    except httpx.InvalidURL:
        raise _Closed("it is not a URL") from None
    *others, last = await _resolve(named, is_guarded=is_guarded)
    for address in others:
        try:
            return await _exchange(named, address, body, headers)
        except _NOTHING_WRITTEN:
            continue
    return await _exchange(named, last, body, headers)


async def _exchange(named: httpx.URL, address: str, body: bytes, headers: Mapping[str, str]) -> Answer:
    """POST to one address of the URL's host, as if it had been found by its name."""
    request = {
        "Host": named.netloc.decode("ascii"),
        "Accept-Encoding": "identity",
        "User-Agent": "PagerPal",
        **headers,
    }
    timeout = httpx.Timeout(None, connect=CONNECT_SECONDS)
    async with (
        httpx.AsyncClient(verify=trusted(), follow_redirects=False, trust_env=False, timeout=timeout) as client,
        client.stream(
            "POST",
            named.copy_with(host=address),
            content=body,
            headers=request,
            extensions={"sni_hostname": named.host},
        ) as answer,
    ):
        text = "" if answer.is_success else await _text(answer)
        return Answer(answer.status_code, text, answer.headers.get("Retry-After"))


async def _resolve(url: httpx.URL, *, is_guarded: bool) -> list[str]:
    """The first addresses of the URL's host, one at least; when it is guarded, of a host that has only public ones."""
    port = url.port or (443 if url.scheme == "https" else 80)
    loop = asyncio.get_running_loop()
    try:
        async with asyncio.timeout(CONNECT_SECONDS):
            found = await loop.getaddrinfo(url.host, port, type=socket.SOCK_STREAM)
    except UnicodeError:  # a label that is too long
        raise _Closed("its host is no name") from None
    addresses = list(dict.fromkeys(str(entry[4][0]) for entry in found))
    if is_guarded and not all(map(is_public, addresses)):
        raise _Closed("its host is not on the public internet")
    return addresses[:ADDRESSES]


async def _text(answer: httpx.Response) -> str:
    """The beginning of what a refusal says, if it comes soon."""
    body = b""
    try:
        async with asyncio.timeout(BODY_SECONDS):
            async for chunk in answer.aiter_raw():
                body += chunk
                if len(body) >= BODY_LIMIT:
                    break
    except (TimeoutError, httpx.RequestError):
        pass
    return body[:BODY_LIMIT].decode("utf-8", "replace")
