"""Is what a sender wrote storable, short enough, and harmless to click?"""

import pytest
from pagerpal_common.contracts.incidents import Link
from pagerpal_ingest.domain import plain
from pagerpal_ingest.domain.labels import bounded, external_id, fingerprint, labels_of
from pagerpal_ingest.domain.links import link, links, web_address
from pagerpal_ingest.domain.texts import cut_bytes, cut_characters, line, paragraphs, text_of


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("plain 🔥 text", "plain 🔥 text"),
        ("a\0b\x07c\x1bd\x7fe\x85f", "abcdef"),
        ("half \ud83d of a pair", "half  of a pair"),
        ("\u202eevil\u202c \u2066x\u2069", "evil x"),
        ("a\r\nb\rc\nd\te", "a\nb\nc\nd\te"),
        (None, ""),
        (True, "true"),
        (12, "12"),
        (1.0, "1"),
        (44.25, "44.25"),
        (float("nan"), "nan"),
        (float("inf"), "inf"),
        (1e300, "1e+300"),
        ({"a": [1, "é\0"]}, '{"a": [1, "é\\u0000"]}'),
    ],
)
def test_every_json_value_becomes_text_that_can_be_stored(value: object, text: str) -> None:
    assert text_of(value) == text


def test_a_value_nested_beyond_reason_is_an_ellipsis() -> None:
    nested: object = []
    for _ in range(100_000):
        nested = [nested]

    assert text_of(nested) == "…"


def test_a_line_has_no_line_ends_and_is_cut() -> None:
    assert line("  a\n\tb   c ") == "a b c"
    assert line("x" * 300) == "x" * 254 + "…"
    assert line("x" * 255) == "x" * 255


@pytest.mark.parametrize("text", ["\u200b", "\u200d\ufeff", " \u2060\u00ad ", "\u3164", "\u2800\U000e0041", "\ufe0f"])
def test_a_line_that_shows_nothing_is_none(text: str) -> None:
    assert line(text) == ""
    assert plain.line(text) == ""
    assert plain.first_line(f"{text}\nabc") == "abc"


@pytest.mark.parametrize(
    "text", ["a\u200bb", "👩\u200d💻", "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645", "❤\ufe0f"]
)
def test_marks_within_a_line_that_shows_something_stay(text: str) -> None:
    assert line(text) == plain.line(text) == text


def test_cutting_never_breaks_a_character() -> None:
    assert cut_characters("abc", 3) == "abc"
    assert cut_bytes("ééé", 6) == "ééé"
    assert cut_bytes("é" * 10, 10) == "ééé…"
    assert len(paragraphs("é" * 20_000).encode()) <= 16 * 1024


def test_paragraphs_leave_out_what_says_nothing() -> None:
    assert paragraphs("a\n", " ", "", "b") == "a\n\nb"


@pytest.mark.parametrize(
    ("value", "labels"),
    [
        ({"a": "b", "c": 1, "d": None, "e": ["x"]}, {"a": "b", "c": "1", "e": '["x"]'}),
        ([["a", "b"], {"name": "c", "value": 2}, {"key": "d", "value": "e"}], {"a": "b", "c": "2", "d": "e"}),
        (["a=b=c", "d:e", "prod", None, {"f": "g"}, 5], {"a": "b=c", "d": "e", "prod": "true", "f": "g", "5": "true"}),
        ("", {}),
        (None, {}),
        (7, {}),
    ],
)
def test_labels_are_taken_from_every_shape_that_senders_use(value: object, labels: dict[str, str]) -> None:
    assert labels_of(value) == labels


def test_labels_are_bounded() -> None:
    many = bounded({f"label {number}": "é" * 2_000 for number in range(300)})

    assert len(many) == 100
    assert all(len(value.encode()) <= 1024 for value in many.values())
    assert list(bounded({"n" * 300: "v"})) == ["n" * 254 + "…"]


def test_a_fingerprint_is_the_one_alertmanager_gives() -> None:
    """Three that real senders sent along: `corpus/alertmanager/oncall_example.json`, Grafana's test alert, and the
    Alertmanager of `tests/e2e/test_alertmanager.py`."""
    labels = {"job": "node", "group": "production", "instance": "localhost:8081", "severity": "critical"}

    assert fingerprint({**labels, "alertname": "InstanceDown"}) == "f404ecabc8dd5cd7"
    assert fingerprint({"instance": "Grafana", "alertname": "TestAlert"}) == "57c6d9296de2ad39"
    disk = {"alertname": "DiskFull", "instance": "db-1", "severity": "critical"}
    assert fingerprint(disk) == "9556f853bb27ef8b"


def test_a_fingerprint_of_very_much_is_a_hash_all_the_same() -> None:
    huge = {"a": "x" * 100_000}

    assert fingerprint(huge) == fingerprint(dict(huge)) != fingerprint({"a": "x" * 100_001})
    assert len(fingerprint(huge)) == 64


@pytest.mark.parametrize(
    ("value", "expected"),
    [("db-1", "db-1"), (0, "0"), (5615590933959184469, "5615590933959184469"), (2.0, "2"), ("x" * 255, "x" * 255)],
)
def test_a_senders_own_id_is_kept_as_it_is(value: object, expected: str) -> None:
    assert external_id(value) == expected


@pytest.mark.parametrize("value", [None, "", "  ", "\n"])
def test_an_empty_id_is_none(value: object) -> None:
    assert external_id(value) is None


def test_ids_that_cannot_be_stored_stay_different_ids() -> None:
    given = ["x" * 256, "x" * 257, "a\0b", "ab\0", "\ud800b", "\udfffb"]

    ids = [external_id(value) for value in given]

    assert len(set(ids)) == len(given)
    assert ids == [external_id(value) for value in given]
    assert all(one is not None and one.startswith("sha256:") and len(one) == 71 for one in ids)


@pytest.mark.parametrize(
    ("href", "base", "opened"),
    [
        ("https://example.org/a?b=c#d", "", "https://example.org/a?b=c#d"),
        (" http://10.0.0.1:9090/graph ", "", "http://10.0.0.1:9090/graph"),
        ("HTTPS://Example.org", "", "HTTPS://Example.org"),
        ("?orgId=1", "http://localhost:3000/", "http://localhost:3000/?orgId=1"),
        ("/alerting/list", "http://grafana/sub/", "http://grafana/alerting/list"),
        ("https://[::1]:3000/x", "", "https://[::1]:3000/x"),
        ("https://münchen.example/ü", "", "https://münchen.example/ü"),
    ],
)
def test_addresses_of_the_web_become_links(href: str, base: str, opened: str) -> None:
    assert link(href, "Look", base) == Link(href=opened, text="Look")


@pytest.mark.parametrize(
    "href",
    [
        "javascript:alert(1)",
        "JaVaScRiPt://example.org/%0aalert(1)",
        "java\tscript:alert(1)",
        "data:text/html,x",
        "file:///etc/passwd",
        "ftp://example.org/",
        "//example.org/",
        "/d/x",
        "dontcare",
        "",
        "http://",
        "http:///x",
        "https:\\\\example.org",
        "http://user:password@example.org/",
        "http://good.example@evil.example/",
        "http://[::1",
        "http://exa mple.org/",
        "http://example.org/\nx",
        "http://example.org/\0",
        'http://example.org/"onclick="x',
        "http://example.org/<script>",
        "https://example.org/" + "x" * 2_048,
        None,
        5,
        ["https://example.org/"],
    ],
)
def test_anything_else_is_no_link(href: object) -> None:
    assert link(href, "Look") is None


def test_a_base_that_is_none_is_not_built_on() -> None:
    assert web_address("javascript:alert(1)") == web_address(None) == web_address("grafana") == ""
    assert web_address("http://grafana:3000/") == "http://grafana:3000/"
    assert link("javascript:alert(1)", "x", "http://grafana/") is None
    assert link("//evil.example/", "x", "http://grafana/") == Link(href="http://evil.example/", text="x")


def test_each_address_is_offered_once_and_not_too_many() -> None:
    found = [link(f"https://example.org/{number}", "x") for number in range(30)]

    assert links([found[0], None, found[0], found[1]]) == (found[0], found[1])
    assert len(links(found)) == 20
