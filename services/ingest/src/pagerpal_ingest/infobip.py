"""Is it Infobip that posts? It sends a header that it was given: the same for receipts and for SMS that come in."""

from hashlib import sha256
from hmac import compare_digest

from pagerpal_common.errors import Forbidden, Unauthenticated
from pydantic import SecretStr
from starlette.requests import Request

TOKEN_HEADER = "X-Infobip-Receipt-Token"  # noqa: S105 - the name of a header


class TokenCheck:
    """Lets in whoever knows the token; anybody while none is set."""

    def __init__(self, token: SecretStr | None) -> None:
        self._token = None if token is None else _digest(token.get_secret_value())

    def __call__(self, request: Request) -> None:
        """In a time that tells nothing of the token, nor of how long it is.

        Raises:
            Unauthenticated, Forbidden: the token is missing, or another one.
        """
        if self._token is None:
            return
        given = request.headers.get(TOKEN_HEADER)
        if not given:
            raise Unauthenticated(f"{TOKEN_HEADER} is required")
        if not compare_digest(_digest(given), self._token):
            raise Forbidden(f"{TOKEN_HEADER} is not the one that is set")


def _digest(token: str) -> bytes:
    return sha256(token.encode()).digest()
