"""What of an alert's own words may everybody read who is woken by it? All but what its raw form hides as well.

Title, description, labels, links and note go into messages to phones, into mail and onto pages. What identifies the
alert has been made of the sender's own words by then, and stays: another external id would be another alert.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from pagerpal_common.contracts.alerts import Alert
from pagerpal_common.contracts.incidents import Link

from pagerpal_ingest.domain.labels import Labels, bounded
from pagerpal_ingest.domain.links import link, links
from pagerpal_ingest.domain.secrets import MASK, may_hold_secrets, names_a_secret, without_secrets
from pagerpal_ingest.domain.texts import DESCRIPTION_LIMIT, NOTE_LIMIT, TITLE_LIMIT, cut_bytes, cut_characters

SHORTEST = 8
"""Characters of a source's secret that is looked for in words: a shorter one may be a word of them."""

_ELLIPSIS = "…"
_HALF_OF_OURS = re.compile(r"(?<![\w-])(?:pp|whsec)_[A-Za-z0-9_-]{4,}…\Z")
_HALF_AN_ADDRESS = re.compile(r"(://[^/\s:@\"'<>\\]*:)[^/\s:@\"'<>\\]+…\Z")


def masked(alert: Alert, secrets: Iterable[str]) -> Alert:
    """The alert with a mask in place of every secret in its words, each of them within its bounds.

    Args:
        secrets: what is known to be one: the source's key, and what it signs with.
    """
    known = [secret for secret in secrets if len(secret) >= SHORTEST]
    if not _may_hold_secrets(alert, known):
        return alert
    shown: dict[str, Any] = {
        "title": cut_characters(_shown(alert.title, known), TITLE_LIMIT),
        "description": cut_bytes(_shown(alert.description, known), DESCRIPTION_LIMIT),
        "labels": bounded(_labels(alert.labels, known)),
        "links": links(_link(one, known) for one in alert.links),
        "note": None if alert.note is None else cut_bytes(_shown(alert.note, known), NOTE_LIMIT),
    }
    changes = {name: value for name, value in shown.items() if value != getattr(alert, name)}
    return alert.model_copy(update=changes) if changes else alert


def masked_by_name(pairs: Mapping[str, str]) -> dict[str, str]:
    """These pairs, with a mask for all that stands under a name that calls it a secret."""
    return {name: MASK if names_a_secret(name) else text for name, text in pairs.items()}


def _may_hold_secrets(alert: Alert, secrets: Sequence[str]) -> bool:
    """Most do not: they are looked at once, all words together, and not word by word."""
    addresses = (text for one in alert.links for text in (one.href, one.text))
    words = "\n".join(
        (alert.title, alert.description, alert.note or "", *alert.labels, *alert.labels.values(), *addresses)
    )
    return may_hold_secrets(words, secrets) or _ELLIPSIS in words


def _labels(labels: Mapping[str, str], secrets: Sequence[str]) -> Labels:
    return {_shown(name, secrets): _shown(text, secrets) for name, text in masked_by_name(labels).items()}


def _link(one: Link, secrets: Sequence[str]) -> Link | None:
    href, text = without_secrets(one.href, secrets), _shown(one.text, secrets)
    return one if (href, text) == (one.href, one.text) else link(href, text)


def _shown(text: str, secrets: Sequence[str]) -> str:
    shown = without_secrets(text, secrets)
    return _without_half(shown, secrets) if shown.endswith(_ELLIPSIS) else shown


def _without_half(text: str, secrets: Sequence[str]) -> str:
    """A text that was cut, possibly within a secret: half a key is half a key."""
    kept = text.removesuffix(_ELLIPSIS)
    for secret in secrets:
        half = next((size for size in range(len(secret) - 1, SHORTEST // 2, -1) if kept.endswith(secret[:size])), 0)
        if half:
            return kept[:-half] + MASK + _ELLIPSIS
    return _HALF_AN_ADDRESS.sub(rf"\1{MASK}…", _HALF_OF_OURS.sub(f"{MASK}…", text))
