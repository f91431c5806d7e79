"""What does a body say, as JSON? As much of it as can be read: an odd field is no reason to lose an alert."""

import json
from typing import Any

from pagerpal_common.errors import Unprocessable

LONGEST_INTEGER = 18
"""Digits. Longer ones stay text: no column holds them, and Python refuses to read one of more than 4,300."""


def loads(body: bytes) -> Any:
    """The JSON value in a body, whatever its bytes: bad UTF-8 becomes U+FFFD.

    Raises:
        Unprocessable: it is not JSON, or nested too deeply.
    """
    try:
        return json.loads(body.decode("utf-8-sig", errors="replace"), parse_int=_integer)
    except ValueError:
        raise not_understood("json_invalid", "The body is not JSON") from None
    except RecursionError:
        raise not_understood("json_invalid", "The body is nested too deeply") from None


def not_understood(kind: str, problem: str, *where: str | int) -> Unprocessable:
    """A body from which no alert can be made out, in the shape of every 422."""
    return Unprocessable([{"type": kind, "loc": ["body", *where], "msg": problem}])


def _integer(digits: str) -> int | str:
    return int(digits) if len(digits) <= LONGEST_INTEGER else digits
