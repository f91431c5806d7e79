"""A code that somebody is to type in, and what is kept of it."""

from pagerpal_common.codes import is_right, kept, new_code


def test_it_has_six_digits_also_when_it_begins_with_zeros() -> None:
    codes = {new_code() for _ in range(200)}

    assert all(len(code) == 6 and code.isdecimal() for code in codes)
    assert len(codes) > 150


def test_only_the_code_itself_is_right() -> None:
    stored = kept("012345")

    assert is_right("012345", stored)
    assert not is_right("012346", stored)
    assert not is_right("12345", stored)


def test_what_is_kept_does_not_show_it_and_differs_each_time() -> None:
    first, second = kept("012345"), kept("012345")

    assert first.code_hash != second.code_hash
    assert b"012345" not in first.salt + first.code_hash
    assert "012345" not in repr(first)
