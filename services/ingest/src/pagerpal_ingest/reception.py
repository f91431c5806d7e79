"""How does a request become alerts that are kept? What every dialect does alike, in the order in which it does it:
whose it is (`source_of`), what it says (`read`), what becomes of that (`take`).

As soon as it is known whose a request is, all that may refuse it is within `Admission.request_of`, and every alert that
can be made out passes `take`: here a source is limited, and what it sends is counted (`admission.py`).
"""

import asyncio
from collections.abc import Callable, Sequence
from typing import TypeVar

from pagerpal_common.contracts.alerts import Alert, AlertResult
from pagerpal_common.http import read_body
from starlette.requests import Request

from pagerpal_ingest.context import Context
from pagerpal_ingest.domain import signature
from pagerpal_ingest.domain.credentials import source_key
from pagerpal_ingest.domain.source import Source
from pagerpal_ingest.lanes import OF_A_BODY

LARGE = 64 * 1024
"""Bytes. A larger body is read in a thread: 5,000 alerts take half a second, in which nobody else would be heard."""

TOGETHER = 400
"""Alerts of one body that are taken at a time. Measured (`benchmarks/group.py`): 5,000 take as long as when all are
taken at once, and what other senders wait meanwhile is a quarter of that."""

TOGETHER_UNANSWERED = 2_000
"""The same while incidents does not answer: each portion then takes its full time, and there must be few. Less than
half of what the intake lets wait: the rest is the others'."""

T = TypeVar("T")


async def source_of(ctx: Context, request: Request) -> Source:
    """The source whose key the request carries.

    Raises:
        Unauthenticated, Invalid, Forbidden: it carries none, several, or none that is good.
        Unavailable: it cannot be found out just now.
    """
    return await ctx.sources.find(source_key(request.scope["headers"], request.scope["query_string"]))


async def read(ctx: Context, request: Request, source: Source, limit: int, parse: Callable[[bytes], T]) -> T:
    """What the body of a source's request says, which is of at most `limit` bytes.

    Raises:
        TooLarge, Unsupported, Unavailable: as `read_body`.
        Refusal: as `understand`.
    """
    with ctx.admission.request_of(source):
        return await understand(ctx, request, source, await read_body(request, limit), parse)


async def understand(ctx: Context, request: Request, source: Source, body: bytes, parse: Callable[[bytes], T]) -> T:
    """What a body says, when it is signed as its source demands. To be asked within `Admission.request_of`.

    Raises:
        Forbidden: it is not.
        Refusal: as `parse` does.
    """
    if source.hmac_secret:
        signature.check(source, request.headers, body, ctx.now())
    return parse(body) if len(body) <= LARGE else await asyncio.to_thread(parse, body)


async def take(ctx: Context, source: Source, alerts: Sequence[Alert]) -> list[AlertResult | None]:
    """What became of each alert; None for one that is kept, and will be handled later.

    Raises:
        Unavailable: one of them is not known to be kept. Its sender repeats them all; a repeat is harmless.
    """
    ctx.admission.admit(source, len(alerts))
    if len(alerts) == 1:
        return [await ctx.admission.take(source, alerts[0])]
    results: list[AlertResult | None] = []
    together = TOGETHER
    while len(results) < len(alerts):
        portion = alerts[len(results) : len(results) + together]
        taken = (ctx.admission.take(source, alert, OF_A_BODY) for alert in portion)
        for result in await asyncio.gather(*taken, return_exceptions=True):
            if isinstance(result, BaseException):
                raise result
            results.append(result)
        if results[-1] is None:
            together = TOGETHER_UNANSWERED
    return results
