"""Which labels does an alert carry, and what identifies it by them?"""

from collections.abc import Iterable, Mapping
from hashlib import sha256

from pagerpal_ingest.domain.texts import cut_bytes, cut_characters, text_of

LABELS_LIMIT = 100
NAME_LIMIT = 255
"""Characters of a label's name."""

VALUE_LIMIT = 1024
"""Bytes of UTF-8 of a label's value."""

EXTERNAL_ID_LIMIT = 255
"""Characters. Never cut: two alerts whose ids differ only at their ends would become one."""

HASHED_LIMIT = 16 * 1024
"""Bytes of labels up to which their fingerprint is Alertmanager's own: it is computed byte by byte."""

_FNV_OFFSET, _FNV_PRIME, _64_BITS = 14695981039346656037, 1099511628211, 2**64 - 1

Labels = dict[str, str]


def labels_of(value: object) -> Labels:
    """The labels in an object, or in a list of pairs, of objects with a name and a value, or of `name=value`."""
    if isinstance(value, Mapping):
        return {text_of(name): text_of(part) for name, part in value.items() if part is not None}
    if isinstance(value, list):
        return dict(pair for part in value for pair in _pairs(part))
    return {}


def bounded(labels: Labels) -> Labels:
    """As many of them, and as much of each, as an alert carries."""
    kept = list(labels.items())[:LABELS_LIMIT]
    return {cut_characters(name, NAME_LIMIT): cut_bytes(text, VALUE_LIMIT) for name, text in kept}


def fingerprint(labels: Labels) -> str:
    """What Alertmanager calls an alert with these labels, for senders that do not say.

    The same algorithm (64-bit FNV-1a over the sorted labels, `LabelSet.Fingerprint` of prometheus/common), so that an
    incident that is open while its Alertmanager is upgraded to one that does say is still resolved.
    """
    parts = b"".join(name.encode() + b"\xff" + labels[name].encode() + b"\xff" for name in sorted(labels))
    if len(parts) > HASHED_LIMIT:
        return sha256(parts).hexdigest()
    number = _FNV_OFFSET
    for byte in parts:
        number = ((number ^ byte) * _FNV_PRIME) & _64_BITS
    return f"{number:016x}"


def external_id(value: object) -> str | None:
    """A sender's own name for what its alert is about, made storable; None when it says nothing.

    What is too long, or loses something by being made storable, is replaced by its hash: the same for ever, and
    different for any other.
    """
    text = text_of(value)
    if not text.strip():
        return None
    if len(text) <= EXTERNAL_ID_LIMIT and (text == value or not isinstance(value, str)):
        return text
    given = value if isinstance(value, str) else text
    return "sha256:" + sha256(given.encode(errors="surrogatepass")).hexdigest()


def _pairs(part: object) -> Iterable[tuple[str, str]]:
    match part:
        case {"name": name, "value": value} | {"key": name, "value": value} | [name, value]:
            return [(text_of(name), text_of(value))]
        case Mapping():
            return labels_of(part).items()
        case None:
            return ()
    name, equals, value = text_of(part).partition("=")
    if not equals:
        name, equals, value = name.partition(":")
    return [(name.strip(), value.strip())] if equals else [(name.strip(), "true")]
