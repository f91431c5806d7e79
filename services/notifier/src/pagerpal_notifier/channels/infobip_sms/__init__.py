"""SMS by Infobip: `POST /sms/3/messages`, and `GET /sms/3/logs` for what became of them."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from pagerpal_common.clock import Now
from pagerpal_common.contracts.receipts import DeliveryReceipt

from pagerpal_notifier.channels import Provider, infobip
from pagerpal_notifier.domain.delivery import Outcome
from pagerpal_notifier.domain.page import Claim
from pagerpal_notifier.domain.sms import sms_text
from pagerpal_notifier.settings import NotifierSettings


def provider(settings: NotifierSettings, _now: Now) -> Provider | None:
    """Sends from `INFOBIP_SENDER`. Nobody can reply to a sender in letters."""
    http = infobip.client(settings)
    if http is None:
        return None

    async def send(claim: Claim) -> Outcome:
        """One `SmsMessage` to one destination."""
        message = {
            "sender": settings.infobip_sender,
            "destinations": [infobip.destination(claim)],
            "content": {"text": sms_text(claim.page, settings.public_url)},
        }
        return await infobip.post(http, "/sms/3/messages", message)

    async def poll(ids: Sequence[UUID]) -> Mapping[UUID, DeliveryReceipt]:
        return await infobip.poll(http, "/sms/3/logs", ids)

    return Provider("infobip", send, poll, http.aclose)
