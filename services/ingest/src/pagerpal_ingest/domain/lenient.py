"""What does a text say, as JSON, however carelessly it was written? The one reading of what webhooks deliver.

Taken: a byte order mark, line ends and controls as they are, half a character, NaN, numbers of any length, and names
given twice, of which the last counts. Of Amazon SNS envelope, alarm and kept raw form are all read here, so that none
of them can understand a body otherwise than the signature was checked.
"""

import json
from typing import Any

LONGEST_INTEGER = 18
"""Digits. Longer ones stay text: nothing here counts with them, and Python refuses to read one of more than 4,300."""


class TooDeep(ValueError):
    """It may be JSON, but nobody reads anything that is nested like that."""


def value_in(text: str) -> Any:
    """The value that the whole text is.

    Raises:
        TooDeep: it is nested too deeply.
        ValueError: it is none.
    """
    try:
        return _DECODER.decode(text.removeprefix("\ufeff"))
    except RecursionError:
        raise TooDeep from None


def value_at(text: str, start: int) -> Any:
    """The value that begins there, whatever comes behind it.

    Raises:
        ValueError: as `value_in`.
    """
    try:
        return _DECODER.raw_decode(text, start)[0]
    except RecursionError:
        raise TooDeep from None


def _integer(digits: str) -> int | str:
    return int(digits) if len(digits) <= LONGEST_INTEGER else digits


_DECODER = json.JSONDecoder(parse_int=_integer, strict=False)
