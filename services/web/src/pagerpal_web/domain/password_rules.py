"""Is this a password that a guesser tries first? Its length is a matter of `fields.py`, its characters of nobody."""

from collections.abc import Iterable

from zxcvbn import zxcvbn  # type: ignore[import-untyped]

LONGEST = 128

GUESSES_LEAST = 10**6
"""Below it zxcvbn calls a password very guessable: one out of its lists of 30,000 leaked passwords, a word, a name, a
date, a row of keys, and what people make of one of those (repeated, `Password1234!`)."""


def is_well_known(password: str) -> bool:
    """Whether a list of a million guesses has it. Takes up to 0.2 s for a long one: not for the event loop."""
    return bool(zxcvbn(password, max_length=LONGEST)["guesses"] < GUESSES_LEAST)


def is_own(password: str, words: Iterable[str | None]) -> bool:
    """Whether it is one of these, which everybody knows of the person: an email address, a name."""
    known = {form for word in words if word for form in (word, word.partition("@")[0], "".join(word.split()))}
    return password.casefold() in {form.casefold() for form in known}
