"""`python -m pagerpal_web.setup_token`: the setup token, for whoever runs web without a terminal of its own."""

import sys

from pagerpal_common.config import ConfigError, load

from pagerpal_web.secret_key import load_keys, setup_token
from pagerpal_web.settings import WebSettings


def main() -> None:
    try:
        sys.stdout.write(setup_token(load_keys(load(WebSettings))) + "\n")
    except ConfigError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
