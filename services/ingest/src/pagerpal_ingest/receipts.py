"""How does the provider's further word come in? Infobip posts it, the bus takes it to the notifier.

Whether a message is ours is not said: every body that comes with the right token is answered alike (security rule S28).
Infobip repeats what is not answered 200, and receipts may be repeated, so nothing is kept here.
"""

import structlog
from pagerpal_common.bus import Bus
from pagerpal_common.clock import Now
from pagerpal_common.contracts.receipts import RECEIPTS_TOGETHER, ReceiptsReceived
from pagerpal_common.http import json_response, read_body
from pydantic import SecretStr
from starlette.requests import Request
from starlette.responses import Response

from pagerpal_ingest.domain.receipts import parse
from pagerpal_ingest.infobip import TokenCheck

log = structlog.get_logger(__name__)

PATH = "/api/v1/notifications/infobip/receipts"

BODY_LIMIT = 256 * 1024
"""Bytes; a hundred receipts, which Infobip sends at most, take some 60 KiB."""


class Receipts:
    """Takes delivery receipts from whoever knows the token; from anybody while none is set."""

    def __init__(self, bus: Bus, token: SecretStr | None, now: Now) -> None:
        self._bus = bus
        self._check_token = TokenCheck(token)
        self._now = now

    async def receive(self, request: Request) -> Response:
        """200 once the broker has them all, or there are none for us.

        Raises:
            Unauthenticated, Forbidden: the token is missing, or another one.
            Unprocessable, TooLarge, Unsupported: the body is no list of results, or too large, or compressed.
            Unavailable: the broker has not confirmed; all of them may be sent again.
        """
        self._check_token(request)
        parsed = parse(await read_body(request, BODY_LIMIT))
        if parsed.ignored:
            log.info("receipts.ignored", ignored=parsed.ignored, taken=len(parsed.receipts))
        for start in range(0, len(parsed.receipts), RECEIPTS_TOGETHER):
            together = parsed.receipts[start : start + RECEIPTS_TOGETHER]
            await self._bus.publish(ReceiptsReceived(receipts=together, occurred_at=self._now()))
        return json_response({"status": "accepted"})
