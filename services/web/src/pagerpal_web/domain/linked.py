"""Which words of a text lead somewhere? Web addresses in what monitoring systems and people write.

An address is only taken for one where what can be read is where it leads: no user name or password before the host
(`https://bank.example@evil.example`), and no host but letters, digits, dots and hyphens of ASCII.
"""

import re
from collections.abc import Iterator

_ADDRESS = re.compile(
    r"(?<![\w@/:.-])https?://"
    r"(?>(?:[a-z0-9-]+(?:\.[a-z0-9-]+)*|\[[0-9a-f:.]+\])(?::[0-9]{1,5})?)"  # all of it or nothing
    r"(?=[/?#]|[\s.,;!*)\]>\"'`]|:\s|:?\Z)"
    r"(?:[/?#][^\s<>\"'`{}|\\^]*)?",
    re.IGNORECASE | re.ASCII,
)
_TRAILING = ".,;:!?*_~"
LONGEST = 2000
"""Characters of an address; a longer one stays text."""


def pieces(text: str) -> Iterator[tuple[str, bool]]:
    """The text in parts, in order and complete; with each, whether it is an address."""
    done = 0
    for found in _ADDRESS.finditer(text):
        address = _without_the_sentences_end(found[0])
        if len(address) > LONGEST:
            continue
        if done < found.start():
            yield text[done : found.start()], False
        yield address, True
        done = found.start() + len(address)
    if done < len(text):
        yield text[done:], False


def _without_the_sentences_end(address: str) -> str:
    """Without what belongs to the text around it: `(see https://a.example/b).`"""
    while True:
        shorter = address.rstrip(_TRAILING)
        for opening, closing in ("()", "[]"):
            if shorter.endswith(closing) and shorter.count(closing) > shorter.count(opening):
                shorter = shorter[:-1]
        if shorter == address:
            return address
        address = shorter
