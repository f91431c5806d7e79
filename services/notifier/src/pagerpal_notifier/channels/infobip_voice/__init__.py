"""Calls by Infobip: `POST /tts/3/advanced`, and `GET /voice/1/logs` for what became of them.

The voice asks for one key. It comes back as `voiceCall.dtmfCodes` of the delivery report (voice.openapi.json,
VoiceReport), and what it does is decided in `keys.py`.
"""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from pagerpal_common.clock import Now
from pagerpal_common.contracts.receipts import DeliveryReceipt

from pagerpal_notifier.channels import Provider, infobip
from pagerpal_notifier.domain.delivery import Outcome
from pagerpal_notifier.domain.page import Claim
from pagerpal_notifier.domain.text import spoken_text
from pagerpal_notifier.settings import NotifierSettings

KEY_SECONDS = 10
"""How long the call waits for a key once all is said."""

PAUSE_SECONDS = 1
"""Before it speaks: whoever picks up has the handset at the ear by then."""


def provider(settings: NotifierSettings, _now: Now) -> Provider | None:
    """Calls from `INFOBIP_VOICE_SENDER`, or from what the account has."""
    http = infobip.client(settings)
    if http is None:
        return None
    sender = settings.infobip_voice_sender

    async def send(claim: Claim) -> Outcome:
        """One `AdvancedTtsApiMessage` to one destination: a call that reads the page out."""
        message: dict[str, Any] = {
            "destinations": [infobip.destination(claim)],
            "text": spoken_text(claim.page),
            "language": "en",
            "pause": PAUSE_SECONDS,
            "maxDtmf": 1,
            "dtmfTimeout": KEY_SECONDS,
        }
        if sender is not None:
            message["from"] = sender.lstrip("+")
        return await infobip.post(http, "/tts/3/advanced", message)

    async def poll(ids: Sequence[UUID]) -> Mapping[UUID, DeliveryReceipt]:
        return await infobip.poll(http, "/voice/1/logs", ids)

    return Provider("infobip", send, poll, http.aclose)
