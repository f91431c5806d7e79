"""Which part of a body is one alert's? To the letter, as far as that can be: order, numbers and names that are given
twice stay as they were sent."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pagerpal_ingest.domain.lenient import value_in
from pagerpal_ingest.domain.sns_secrets import SECRET_IN_SNS, without_credentials

AROUND_LIMIT = 4 * 1024
"""Bytes of what a body says about all of its alerts that go along with each: a body of 5 MB must not become 80."""

_DECODER = json.JSONDecoder(parse_int=str, parse_float=str, strict=False)
_BLANK = re.compile(r"[ \t\r\n]*")


def whole(body: bytes) -> str:
    """All of it, whatever its bytes: bad UTF-8 becomes U+FFFD, as where it is read (`json_body.py`)."""
    return body.decode("utf-8-sig", errors="replace")


def of_group(body: bytes, number: int) -> list[str]:
    """What a body that is known to be JSON says of each of its so many alerts.

    One alert by itself is the whole body. Of several, each is the body without the others: JSON like it, with a list of
    one. Where that is too much, and in a list without anything around it, it is the alert alone.

    Raises:
        ValueError, RecursionError: it cannot be told apart.
    """
    text = whole(body)
    if number == 1:
        return [text]
    at = _after_blank(text, 0)
    start, spans = (at, _elements(text, at)) if text[at] == "[" else _alerts(text, at)
    parts = [text[begin:end] for begin, end in spans]
    before, after = text[: start + 1], text[_after_blank(text, spans[-1][1]) :]
    if text[at] == "[" or len(before) + len(after) > AROUND_LIMIT:
        return parts
    return [f"{before}{part}{after}" for part in parts]


def of_sns(body: bytes, records: Sequence[int | None]) -> list[str]:
    """What a delivery of Amazon SNS says of each of its alerts, without what must be known to nobody.

    Args:
        records: of which record each alert is; None where the delivery is one message.
    """
    text = whole(body)
    try:
        said = value_in(text)
    except ValueError:
        said = None
    if isinstance(said, dict):
        return [_whole_message(said, text) if at is None else _message(said["Records"][at]["Sns"]) for at in records]
    return [without_credentials(text)] * len(records)


def _whole_message(said: Mapping[str, Any], text: str) -> str:
    is_open = any(name.lower() in SECRET_IN_SNS for name in said)
    return _message(said) if is_open else without_credentials(text)


def _message(envelope: Mapping[str, Any]) -> str:
    kept = {name: value for name, value in envelope.items() if name.lower() not in SECRET_IN_SNS}
    return without_credentials(json.dumps(kept, ensure_ascii=False, separators=(",", ":")))


def _alerts(text: str, at: int) -> tuple[int, list[tuple[int, int]]]:
    """Where the list `alerts` of an object begins, and from where to where each of them goes. Of two lists with that
    name the last one counts, as for whoever reads it."""
    found: tuple[int, list[tuple[int, int]]] | None = None
    for name, start in _members(text, at):
        if name == "alerts" and text[start] == "[":
            found = start, _elements(text, start)
    if found is None or not found[1]:
        raise ValueError("it has no alerts")
    return found


def _members(text: str, at: int) -> Iterator[tuple[str, int]]:
    """The names in an object that begins here, and where the value of each begins."""
    at = _after_blank(text, at + 1)
    while text[at] != "}":
        name, at = _DECODER.raw_decode(text, at)
        start = _after_blank(text, _after_blank(text, at) + 1)
        yield name, start
        at = _after_value(text, start)


def _elements(text: str, at: int) -> list[tuple[int, int]]:
    spans: list[tuple[int, int]] = []
    at = _after_blank(text, at + 1)
    while text[at] != "]":
        _, end = _DECODER.raw_decode(text, at)
        spans.append((at, end))
        at = _next(text, end)
    return spans


def _after_value(text: str, at: int) -> int:
    _, end = _DECODER.raw_decode(text, at)
    return _next(text, end)


def _next(text: str, at: int) -> int:
    """Past the comma, if there is one."""
    at = _after_blank(text, at)
    return _after_blank(text, at + 1) if text[at] == "," else at


def _after_blank(text: str, at: int) -> int:
    found = _BLANK.match(text, at)
    return found.end() if found else at
