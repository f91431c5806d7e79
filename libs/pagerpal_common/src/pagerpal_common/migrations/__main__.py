"""`python -m pagerpal_common.migrations`: migrate the database of PAGERPAL_DATABASE_URL."""

import sys

from pagerpal_common import log
from pagerpal_common.config import ConfigError, Settings, load
from pagerpal_common.migrations import migrate


def main() -> None:
    log.configure()
    try:
        settings = load(Settings)
    except ConfigError as error:
        sys.exit(str(error))
    if settings.database_url is None:
        sys.exit("PAGERPAL_DATABASE_URL is not set: which database is to be migrated?")
    migrate(settings.database_url.get_secret_value())


if __name__ == "__main__":
    main()
