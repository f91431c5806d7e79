"""What can be set about ingest?"""

from typing import Annotated

from pagerpal_common.config import Settings
from pagerpal_common.secret_strength import Strong
from pydantic import Field, SecretStr

SHORTEST_TOKEN = 16
"""Characters, in production."""


class IngestSettings(Settings):
    """Ingest's settings, beside those that every process has."""

    port: int = Field(8001, alias="PORT", ge=1, le=65535)
    reply_seconds: float = Field(2.0, alias="PAGERPAL_REPLY_SECONDS", gt=0, le=10)
    """How long a sender waits for the incident before it is told that the alert is kept. SNS hangs up after 15 s."""
    source_alerts_per_second: float = Field(1000.0, alias="PAGERPAL_SOURCE_ALERTS_PER_SECOND", gt=0, le=1_000_000)
    """What one source may send to one process in the long run, unless its configuration has `alerts_per_second`.
    Beyond it senders get 503 and come again."""
    receipt_token: Annotated[SecretStr | None, Strong(SHORTEST_TOKEN)] = Field(None, alias="INFOBIP_RECEIPT_TOKEN")
    """What Infobip must send as `X-Infobip-Receipt-Token`, with receipts and with SMS that come in. Without it, in
    development, anybody's are taken. One that can be guessed lets anybody tell us that a page has arrived, or
    acknowledge it in the name of whose telephone number they know."""
