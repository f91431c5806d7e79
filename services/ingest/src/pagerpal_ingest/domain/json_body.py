"""What does a body say, as JSON? As much of it as can be read: an odd field is no reason to lose an alert."""

import re
from typing import Any

from pagerpal_common.errors import Unprocessable

from pagerpal_ingest.domain.lenient import TooDeep, value_in

_TEXT = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"', re.DOTALL)
_CONTROL = re.compile(rb"\\.|[\x00-\x1f]", re.DOTALL)


def loads(body: bytes) -> Any:
    """The JSON value in a body, whatever its bytes: bad UTF-8 becomes U+FFFD, and a line end within a text is one
    (templates of many senders write them so, RFC 8259 §7 or not).

    Raises:
        Unprocessable: it is not JSON, or nested too deeply.
    """
    try:
        return value_in(body.decode(errors="replace"))
    except TooDeep:
        raise not_understood("json_invalid", "The body is nested too deeply") from None
    except ValueError:
        raise not_understood("json_invalid", "The body is not JSON") from None


def spelled_out(body: bytes) -> bytes:
    """A body with the control characters in its texts as JSON wants them, for readers that take it to the letter."""
    return _TEXT.sub(lambda text: _CONTROL.sub(_spelled, text[0]), body)


def not_understood(kind: str, problem: str, *where: str | int) -> Unprocessable:
    """A body from which no alert can be made out, in the shape of every 422."""
    return Unprocessable([{"type": kind, "loc": ["body", *where], "msg": problem}])


def _spelled(found: re.Match[bytes]) -> bytes:
    """An escape stays as it is, also one of a control character, which is none."""
    return found[0] if found[0][:1] == b"\\" else b"\\u%04x" % found[0][0]
