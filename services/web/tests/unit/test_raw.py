"""How is an alert shown as it was sent?"""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pagerpal_web.domain.raw import amount, message_in, readable


def test_json_is_laid_out_and_says_what_it_said() -> None:
    text = '{"b":1e5,"a":[1,{"c":null}],"n":123456789012345678901234567890,"b":NaN,"e":{},"l":[ ],"s":"{y}: \\"z\\""}'

    assert readable(text) == (
        "{\n"
        '  "b": 1e5,\n'
        '  "a": [\n'
        "    1,\n"
        "    {\n"
        '      "c": null\n'
        "    }\n"
        "  ],\n"
        '  "n": 123456789012345678901234567890,\n'
        '  "b": NaN,\n'
        '  "e": {},\n'
        '  "l": [],\n'
        '  "s": "{y}: \\"z\\""\n'
        "}"
    )


@pytest.mark.parametrize("text", ["disk full", "a=1&b=2", "", "12", '"a text"', '{"cut": "after 16 Ki', "[1, 2", "nul"])
def test_what_is_no_json_stays_as_it_is(text: str) -> None:
    assert readable(text) == text


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('{"a":[1,true],"b":"half of a te', '{\n  "a": [\n    1,\n    true\n  ],\n  "b": "half of a te'),
        ('{"a":1,"b":tru', '{\n  "a": 1,\n  "b": tru'),
        ('{"a":"x\\', '{\n  "a": "x\\'),
        ("{disk full: 1, and more", "{disk full: 1, and more"),
        ('"a text', '"a text'),
        ("disk full", "disk full"),
        ("", ""),
    ],
)
def test_of_json_that_was_cut_the_beginning_is_laid_out(text: str, said: str) -> None:
    assert readable(text, is_cut=True) == said


def test_letters_are_shown_as_letters_and_what_misleads_by_its_number() -> None:
    assert readable('{"a": "caf\\u00e9 \\u202egnp.exe \\ud83d"}') == '{\n  "a": "caf\\u00e9 \\u202egnp.exe \\ud83d"\n}'
    assert readable('{"a": "caf\\u00e9 \\u202egnp.exe"}') == '{\n  "a": "café \\u202egnp.exe"\n}'
    assert readable("a\u202eb\x00c\u200bd\r\ne\tf") == "a\\u202eb\\u0000c\\u200bd\ne\tf"


def test_a_text_of_opening_brackets_is_no_page_of_blanks() -> None:
    deep = "[" * 500 + "]" * 500

    assert len(readable(deep)) < 50_000
    assert readable("[" * 100_000) == "[" * 100_000


def test_the_alarm_in_a_message_of_sns_is_shown_by_itself() -> None:
    alarm = {"AlarmName": "cpu", "NewStateValue": "ALARM"}

    assert message_in(json.dumps({"Type": "Notification", "Message": json.dumps(alarm)})) == (
        '{\n  "AlarmName": "cpu",\n  "NewStateValue": "ALARM"\n}'
    )


@pytest.mark.parametrize("text", ['{"Message": "disk full"}', '{"Message": "{odd"}', '{"Message": 5}', "[]", "x", "{"])
def test_there_is_none_in_anything_else(text: str) -> None:
    assert message_in(text) is None


@pytest.mark.parametrize(
    ("size", "said"),
    [
        (0, "0 bytes"),
        (1023, "1023 bytes"),
        (1024, "1 KiB"),
        (1536, "1.5 KiB"),
        (122_880, "120 KiB"),
        (5_242_880, "5.0 MiB"),
    ],
)
def test_a_size_is_said_as_a_person_would(size: int, said: str) -> None:
    assert amount(size) == said


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


@given(st.lists(VALUES) | st.dictionaries(st.text(), VALUES), st.booleans())
def test_any_json_still_says_the_same(said: object, is_ascii: bool) -> None:
    assert json.loads(readable(json.dumps(said, ensure_ascii=is_ascii))) == said


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_any_text_can_be_shown(text: str) -> None:
    shown = readable(text) + readable(text, is_cut=True)

    assert not set(shown) & set("\0\x1b\u202e\u2066\u200b\ufeff\x85\u2028")
