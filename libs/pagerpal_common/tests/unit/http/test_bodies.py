"""How deep may JSON be? Counted without parsing it, and without being fooled by what stands in its strings."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pagerpal_common.http.bodies import DEEPEST, is_too_deep


def depth_of(value: object) -> int:
    parts = value.values() if isinstance(value, dict) else value if isinstance(value, list) else None
    return 0 if parts is None else 1 + max(map(depth_of, parts), default=0)


JSON = st.recursive(
    st.none() | st.integers() | st.text('[]{}"\\ äx'),
    lambda inner: st.lists(inner) | st.dictionaries(st.text('[]{}"\\'), inner),
    max_leaves=200,
)


@given(value=JSON, around=st.integers(DEEPEST - 4, DEEPEST))
def test_it_says_what_a_parser_would(value: object, around: int) -> None:
    for _ in range(around):
        value = [value]
    wide = [0, *([["[{"]] * DEEPEST), value]  # so many brackets that they have to be looked at
    assert is_too_deep(json.dumps(wide).encode()) == (depth_of(wide) > DEEPEST)


@pytest.mark.parametrize(
    "text",
    [b'"' + b"[" * 1000 + b'"', b"[]" * 1000, b"{}" * 1000, b'["' + b'\\"[' * 1000 + b'"]', b"", b"]" * 1000],
)
def test_many_brackets_are_not_deep(text: bytes) -> None:
    assert not is_too_deep(text)


@pytest.mark.parametrize("text", [b"[" * 65, b'{"a":' * 65, b'["\\""' + b",[" * 64])
def test_deep_is_deep_even_when_it_never_ends(text: bytes) -> None:
    assert is_too_deep(text)


@pytest.mark.timeout(20)
@pytest.mark.parametrize("piece", [b'\\"', b'"', b"\\", b'["\\', b'"[', b'[{"'])
def test_a_megabyte_made_to_be_slow_is_not(piece: bytes) -> None:
    """Its look is linear whatever the text: a quadratic one would take minutes."""
    is_too_deep(b"[" * 100 + b'"' + piece * (1_000_000 // len(piece)))
