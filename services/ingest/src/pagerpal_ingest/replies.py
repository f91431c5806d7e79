"""How does an answer to a page come in? Infobip posts the SMS; the bus takes what it asks for to web, which does it.

Here its number becomes the people who have it, and is forgotten. Whoever sent it, and whatever it says, the answer is
the same (security rule S28); Infobip repeats what is not answered 200.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence

import structlog
from pagerpal_common.bus import Bus
from pagerpal_common.clock import Now
from pagerpal_common.contracts.replies import REPLIES_TOGETHER, RepliesReceived
from pagerpal_common.http import json_response, read_body
from pydantic import SecretStr
from starlette.requests import Request
from starlette.responses import Response

from pagerpal_ingest.domain.replies import parse
from pagerpal_ingest.infobip import TokenCheck

log = structlog.get_logger(__name__)

PATH = "/api/v1/notifications/infobip/inbound"

BODY_LIMIT = 256 * 1024
"""Bytes, as of the receipts."""

FindSenders = Callable[[Sequence[str]], Awaitable[Mapping[str, Sequence[int]]]]
"""Who has these telephone numbers. Raises Unavailable when the directory cannot be asked."""


class Replies:
    """Takes SMS that have come in from whoever knows the token; from anybody while none is set."""

    def __init__(self, bus: Bus, token: SecretStr | None, now: Now, find_senders: FindSenders) -> None:
        self._bus = bus
        self._check_token = TokenCheck(token)
        self._now = now
        self._find_senders = find_senders

    async def receive(self, request: Request) -> Response:
        """200 once the broker has them all, or there are none.

        Raises:
            Unauthenticated, Forbidden: the token is missing, or another one.
            Unprocessable, TooLarge, Unsupported: the body is no list of results, or too large, or compressed.
            Unavailable: the directory cannot be asked, or the broker has not confirmed; all may be sent again.
        """
        self._check_token(request)
        parsed = parse(await read_body(request, BODY_LIMIT))
        if parsed.ignored:
            log.info("replies.ignored", ignored=parsed.ignored, taken=len(parsed.replies))
        phones = sorted({reply.phone for reply in parsed.replies if reply.phone is not None})
        senders = await self._find_senders(phones) if phones else {}
        replies = [reply.of(senders.get(reply.phone or "", ())) for reply in parsed.replies]
        for start in range(0, len(replies), REPLIES_TOGETHER):
            together = tuple(replies[start : start + REPLIES_TOGETHER])
            await self._bus.publish(RepliesReceived(replies=together, occurred_at=self._now()))
        return json_response({"status": "accepted"})
