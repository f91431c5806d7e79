"""What does web read from the environment?"""

from pagerpal_common.config import Settings
from pydantic import Field


class WebSettings(Settings):
    """The settings that every process has; web has none of its own yet."""

    port: int = Field(8005, alias="PORT", ge=1, le=65535)
