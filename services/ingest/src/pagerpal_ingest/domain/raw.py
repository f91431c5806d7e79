"""What is kept of an alert as it was sent? Its beginning, made storable, without secrets."""

import re
from collections.abc import Iterable

from pagerpal_common.contracts.alerts import RAW_LIMIT, RawAlert

from pagerpal_ingest.domain.secrets import without_secrets

LOOKED_AT = 16 * RAW_LIMIT
"""Characters of a text that are searched for secrets: many more than are kept."""

TYPE_LIMIT = 100
"""Characters of a Content-Type."""

UNKEPT = RawAlert(text=None)

# What PostgreSQL does not store, and the other controls but tab and line ends. In JSON they can stand in texts alone,
# where this spelling means the same.
_UNFIT = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")


def raw_alert(text: str, content_type: str, secrets: Iterable[str] = ()) -> RawAlert:
    """What is kept of a text in which an alert was sent.

    Args:
        content_type: as its sender says; empty when it does not.
        secrets: what must not be kept, wherever it stands.
    """
    size = len(text) if text.isascii() else len(text.encode(errors="surrogatepass"))
    masked = without_secrets(text[:LOOKED_AT], secrets)  # before it is cut: half a key is half a key
    whole = _escaped(masked[:RAW_LIMIT])
    kept = _cut(whole)
    is_cut = len(kept) < len(whole) or len(masked) > RAW_LIMIT or len(text) > LOOKED_AT
    said = _escaped(without_secrets(content_type.strip(), secrets))[:TYPE_LIMIT]
    return RawAlert(text=kept, size=size, is_cut=is_cut, content_type=said or None)


def _escaped(text: str) -> str:
    if text.isprintable():
        return text
    return _UNFIT.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def _cut(text: str) -> str:
    """At most `RAW_LIMIT` bytes of UTF-8."""
    if len(text) * 4 <= RAW_LIMIT:
        return text
    return text.encode()[:RAW_LIMIT].decode(errors="ignore")
