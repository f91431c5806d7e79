"""What the escalator is told by its environment."""

from pagerpal_common.config import Settings
from pydantic import Field


class EscalatorSettings(Settings):
    port: int = Field(8003, alias="PORT", ge=1, le=65535)
