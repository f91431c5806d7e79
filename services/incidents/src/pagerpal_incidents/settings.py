"""What the incidents service is told by its environment."""

from pagerpal_common.config import Settings
from pydantic import Field


class IncidentsSettings(Settings):
    port: int = Field(8002, alias="PORT", ge=1, le=65535)
