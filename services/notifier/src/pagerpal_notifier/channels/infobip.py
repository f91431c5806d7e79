"""SMS and calls by Infobip: `POST /sms/3/messages` and `POST /tts/3/advanced`. The only module that speaks HTTP out.

Our message id travels with each message, and Infobip refuses one that it has seen (status 23): so a try whose outcome
is unknown can be repeated safely.
"""

from typing import Any

import httpx
from pydantic import SecretStr

from pagerpal_notifier.domain.answers import read_infobip
from pagerpal_notifier.domain.delivery import Outcome, Verdict
from pagerpal_notifier.domain.page import Claim
from pagerpal_notifier.domain.text import sms_text, spoken_text

CONNECT_SECONDS = 2.0
"""Shorter than a whole send may take: a provider that cannot be reached is known to have nothing."""

# Nothing of the request has left us yet.
_NOTHING_WRITTEN = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)


class Infobip:
    """One connection pool, kept alive between pages."""

    def __init__(
        self,
        base_url: str,
        api_key: SecretStr,
        *,
        sender: str,
        voice_sender: str | None,
        public_url: str | None,
        connections: int,
    ) -> None:
        self._sender = sender
        self._voice_sender = voice_sender
        self._public_url = public_url
        self._client = httpx.AsyncClient(
            base_url=base_url,
            headers={"Authorization": f"App {api_key.get_secret_value()}", "Accept": "application/json"},
            timeout=httpx.Timeout(None, connect=CONNECT_SECONDS, pool=CONNECT_SECONDS),  # the caller limits the rest
            limits=httpx.Limits(
                max_connections=connections, max_keepalive_connections=connections, keepalive_expiry=30.0
            ),
            follow_redirects=False,
            trust_env=False,
        )

    async def send_sms(self, claim: Claim) -> Outcome:
        """One `SmsMessage` to one destination."""
        message = {
            "sender": self._sender,
            "destinations": [_destination(claim)],
            "content": {"text": sms_text(claim.page, self._public_url)},
        }
        return await self._post("/sms/3/messages", message)

    async def send_voice(self, claim: Claim) -> Outcome:
        """One `AdvancedTtsApiMessage` to one destination: a call that reads the page out."""
        message: dict[str, Any] = {
            "destinations": [_destination(claim)],
            "text": spoken_text(claim.page),
            "language": "en",
        }
        if self._voice_sender is not None:
            message["from"] = self._voice_sender.lstrip("+")
        return await self._post("/tts/3/advanced", message)

    async def close(self) -> None:
        """Close every connection."""
        await self._client.aclose()

    async def _post(self, path: str, message: dict[str, Any]) -> Outcome:
        try:
            answer = await self._client.post(path, json={"messages": [message]})
        except _NOTHING_WRITTEN as error:
            return Outcome(Verdict.DEFERRED, f"Infobip cannot be reached: {type(error).__name__}")
        except httpx.RequestError as error:
            return Outcome(Verdict.UNKNOWN, f"Infobip did not answer: {type(error).__name__}")
        return read_infobip(answer.status_code, answer.content, retry_after=answer.headers.get("Retry-After"))


def _destination(claim: Claim) -> dict[str, str]:
    """E.164 without the plus, as in every example of both APIs."""
    return {"to": claim.address.lstrip("+"), "messageId": str(claim.attempt_id)}
