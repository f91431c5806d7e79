"""What is kept of a text that somebody else wrote?"""

from hypothesis import given, settings
from hypothesis import strategies as st
from pagerpal_ingest.domain.labels import EXTERNAL_ID_LIMIT
from pagerpal_ingest.domain.plain import clean, first_line, identifier, labels, line, paragraphs
from pagerpal_ingest.domain.texts import DESCRIPTION_LIMIT, TITLE_LIMIT

ANY = st.text(st.characters())


def test_what_cannot_be_stored_or_misleads_is_left_out() -> None:
    assert clean("a\x00b\x1b[31m\x85c\u202ed\ud83de\tf\ng") == "ab[31mcde\tf\ng"


def test_a_title_is_one_line() -> None:
    assert line("  CPU\r\n\t is   high\u2028now ") == "CPU is high now"
    assert line("x" * 256) == "x" * 254 + "…"
    assert line(" \n ") == ""


def test_the_first_line_is_the_first_that_says_something() -> None:
    assert first_line("\n \x00\n  This \nis") == "This"
    assert first_line("\n \n") == ""


def test_paragraphs_leave_out_what_says_nothing() -> None:
    assert paragraphs([None, " a ", "", "\x00", "b\nc"]) == "a\n\nb\nc"


def test_an_id_is_kept_as_it_is_unless_it_cannot_be() -> None:
    assert (
        identifier("arn:aws:cloudwatch:eu-west-1:1:alarm:CPU #1 | é")
        == "arn:aws:cloudwatch:eu-west-1:1:alarm:CPU #1 | é"
    )
    assert identifier("x" * 255) == "x" * 255


def test_two_long_ids_that_differ_at_their_ends_stay_two() -> None:
    one, two = identifier("x" * 300 + "1"), identifier("x" * 300 + "2")

    assert one != two
    assert len(one) == len(two) == EXTERNAL_ID_LIMIT
    assert one.startswith("x" * 190 + "#")


def test_two_ids_that_differ_in_what_cannot_be_stored_stay_two() -> None:
    assert len({identifier("a\x00"), identifier("a"), identifier("a\ud800"), identifier("a\x01")}) == 4


def test_labels_are_bounded_and_the_first_of_a_name_counts() -> None:
    many = [(f"name {number}", "x" * 2000) for number in range(200)]

    kept = labels([("region", "eu-west-1"), ("region", "else"), (" ", "x"), ("empty", ""), ("none", None), *many])

    assert kept["region"] == "eu-west-1"
    assert len(kept) == 100
    assert set(map(len, list(kept.values())[1:])) == {1024}
    assert not {"", "empty", "none"} & set(kept)


@settings(deadline=None)
@given(ANY, st.integers(1, 2_000))
def test_whatever_comes_fits_and_can_be_stored(text: str, times: int) -> None:
    long = text * times

    assert len(line(long)) <= TITLE_LIMIT
    assert len(paragraphs([long, long]).encode()) <= DESCRIPTION_LIMIT
    assert len(identifier(long)) <= EXTERNAL_ID_LIMIT
    for kept in (line(long), paragraphs([long]), identifier(long), *labels([(long, long)]).values()):
        assert clean(kept) == kept
