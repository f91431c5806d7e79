"""Whom do we believe at the other end of a connection that we open to the internet?

Everybody whom Mozilla believes, by certifi's copy of its list: the same on every machine and in every image. It is read
once for each process, since that holds up everything else for a moment.
"""

import ssl
from functools import cache

import certifi


@cache
def trusted() -> ssl.SSLContext:
    """Verifies certificates and names; all connections share it."""
    return ssl.create_default_context(cafile=certifi.where())
