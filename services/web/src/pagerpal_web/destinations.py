"""Where does a URL that a person has given really lead?"""

import asyncio
import socket
from urllib.parse import urlsplit

from pagerpal_common.errors import Invalid, Unavailable
from pagerpal_common.public_internet import is_public

LOOK_UP_SECONDS = 2.0


async def check_destination(url: str) -> None:
    """See that a URL is https, and that its host is found and is in the public internet, under each of its addresses.

    A name can lead elsewhere later: whoever calls it looks again.

    Raises:
        Invalid: it is not so.
        Unavailable: nobody could say where the host is.
    """
    parts = urlsplit(url)
    if parts.scheme != "https":
        raise Invalid("the URL must be an https one")
    try:
        async with asyncio.timeout(LOOK_UP_SECONDS):
            found = await asyncio.get_running_loop().getaddrinfo(
                parts.hostname, parts.port or 443, type=socket.SOCK_STREAM
            )
    except TimeoutError:
        raise Unavailable("the name of a webhook's host was not looked up in time") from None
    except socket.gaierror as error:
        if error.errno == socket.EAI_AGAIN:
            raise Unavailable("the name of a webhook's host could not be looked up") from None
        raise Invalid("the URL's host cannot be found") from None
    except UnicodeError:  # a label of more than 63 characters
        raise Invalid("the URL's host cannot be found") from None
    if not found or not all(is_public(str(place[4][0])) for place in found):
        raise Invalid("the URL leads to an address that is not in the public internet")
