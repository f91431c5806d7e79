"""Which database is an operator's command for?"""

import sys

from pagerpal_common import log
from pagerpal_common.config import ConfigError, Settings, load


def database_of_the_environment(question: str) -> str:
    """The URL of the database that an operator's command is for; without one, the end, with this question."""
    log.configure()
    try:
        settings = load(Settings)
    except ConfigError as error:
        sys.exit(str(error))
    if settings.database_url is None:
        sys.exit(f"PAGERPAL_DATABASE_URL is not set: {question}")
    return settings.database_url.get_secret_value()
