"""By what is an alert known that has no name of any kind? By what it says of itself, but for what changes until it is
over: its end must find it.

`docs/decisions/0045-what-an-odd-body-is-known-by.md` says why.
"""

from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import Any

from pagerpal_ingest.domain.labels import LABELS_LIMIT, Labels, fingerprint
from pagerpal_ingest.domain.moments import moment
from pagerpal_ingest.domain.secrets import MASK, names_a_secret, without_secrets
from pagerpal_ingest.domain.texts import line, text_of

NAMELESS = "An alert without a name"

ENTRIES_LIMIT = 20
"""Parts of a list that are told."""

_DEEPEST = 4
# In lower case: templates of Go write names as its structures have them.
_PASSING = frozenset(
    {
        *("status", "state", "severity", "priority", "urgency", "level"),
        *("value", "values", "valuestring", "truncatedalerts", "notification_reason"),
    }
)


def texts_in(body: Mapping[str, Any]) -> Labels:
    """Its texts, by where they stand, without secrets. Numbers are what is measured, and times pass."""
    return dict(islice(_texts(body, "", _DEEPEST), LABELS_LIMIT))


def identity(texts: Labels) -> str:
    """What an alert is known by that says these."""
    return fingerprint(texts or {"alertname": NAMELESS})


def title(texts: Labels) -> str:
    """The same for people."""
    return line(", ".join(f"{where}={text}" for where, text in texts.items())) or NAMELESS


def told(value: object) -> Iterator[str]:
    """A line for each part of a list, whatever it is."""
    for part in value[:ENTRIES_LIMIT] if isinstance(value, list) else ():
        if isinstance(part, Mapping):
            yield line(", ".join(f"{name}={shown(name, said)}" for name, said in part.items() if said is not None))
        else:
            yield line(shown("", part))


def shown(name: str, value: object) -> str:
    """What stands under a name that nobody has told us of: it may be a secret."""
    return MASK if names_a_secret(name) else without_secrets(text_of(value), ())


def _texts(value: object, where: str, depth: int) -> Iterator[tuple[str, str]]:
    if isinstance(value, str):
        if value.strip() and moment(value) is None:
            yield where, shown("", value)
    elif depth:
        for name, part in _parts(value):
            yield from _texts(part, f"{where}.{name}" if where else name, depth - 1)


def _parts(value: object) -> Iterable[tuple[str, object]]:
    if isinstance(value, Mapping):
        return ((text_of(name), part) for name, part in value.items() if _says_what(name))
    return ((str(number), part) for number, part in enumerate(value, 1)) if isinstance(value, list) else ()


def _says_what(name: str) -> bool:
    return name.lower() not in _PASSING and not names_a_secret(name)
