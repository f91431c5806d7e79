"""In which charset is a body? JSON is UTF-8 (RFC 8259 §8.1), but some senders say that they write another, and do."""

import codecs
from collections.abc import Mapping

_ONE_BYTE, _TWO_BYTES = "cp1252", "utf-16"

CHARSETS: Mapping[str, str] = {
    "iso-8859-1": _ONE_BYTE,
    "latin-1": _ONE_BYTE,
    "latin1": _ONE_BYTE,
    "windows-1252": _ONE_BYTE,
    "utf-16": _TWO_BYTES,
}
"""Beside UTF-8, of which ASCII is a part. What calls itself ISO 8859-1 is read as browsers read it: as windows-1252,
which has letters where the other has control characters (WHATWG Encoding, "Names and labels")."""

_MARKS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


def in_utf8(body: bytes, content_type: str) -> bytes:
    """The body in UTF-8, whatever of these it is declared to be in.

    What is UTF-8 stays as it is, whatever it is declared to be: many libraries declare by habit what they do not write,
    and no text in another charset looks like UTF-8 by chance. What is in none of them stays, too.
    """
    charset = CHARSETS.get(_declared(content_type))
    if charset == _TWO_BYTES and b"\0" in body:
        return body.decode(_order_of(body), errors="replace").encode()
    if charset == _ONE_BYTE and not _is_utf8(body):
        return body.decode(charset, errors="replace").encode()
    return body


def _declared(content_type: str) -> str:
    for parameter in content_type.lower().split(";")[1:]:
        name, _, value = parameter.partition("=")
        if name.strip() == "charset":
            return value.strip(" \t\"'")
    return ""


def _order_of(body: bytes) -> str:
    """Without a mark of the byte order, JSON shows it all the same: it begins with ASCII."""
    if body.startswith(_MARKS):
        return _TWO_BYTES
    return "utf-16-be" if body.startswith(b"\0") else "utf-16-le"


def _is_utf8(body: bytes) -> bool:
    try:
        body.decode()
    except UnicodeDecodeError:
        return False
    return True
