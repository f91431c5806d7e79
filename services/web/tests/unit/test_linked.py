"""Which words of a text become links, and that nothing of a text becomes anything else."""

from html import unescape
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pagerpal_web.domain.linked import LONGEST, pieces
from pagerpal_web.domain.shown import lines
from pagerpal_web.ui.words import linked

ADDRESSES = [
    ("see https://wiki.example.org/runbook now", "https://wiki.example.org/runbook"),
    ("(https://a.example/b_(c))", "https://a.example/b_(c)"),
    ("Look at http://10.0.0.1:3000/d/abc?var=1&from=2#panel.", "http://10.0.0.1:3000/d/abc?var=1&from=2#panel"),
    ("HTTPS://Example.ORG/", "HTTPS://Example.ORG/"),
    ("https://[::1]:8080/x", "https://[::1]:8080/x"),
    ("https://grafana.example.org", "https://grafana.example.org"),
    ("**https://a.example/x**", "https://a.example/x"),
]

NONE = [
    "javascript:alert(1)",
    "data:text/html,x",
    "//evil.example/",
    "https://bank.example@evil.example/",
    "https://user:password@evil.example/",
    "https://bank.example:pw@evil.example/",
    "https://ex\u0430mple.org/",  # a Cyrillic letter
    "https://",
    "https:///etc",
    "xhttps://a.example/",
    "https://a.example/" + "x" * LONGEST,
]


@pytest.mark.parametrize(("text", "address"), ADDRESSES)
def test_an_address_leads_where_it_says(text: str, address: str) -> None:
    assert [part for part, leads in pieces(text) if leads] == [address]
    assert "".join(part for part, _ in pieces(text)) == text


@pytest.mark.parametrize("text", NONE)
def test_what_might_lead_elsewhere_stays_text(text: str) -> None:
    assert [part for part, leads in pieces(text) if leads] == []
    assert "<a" not in linked(text)


class Seen(HTMLParser):
    """What a browser makes of it."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.text = ""
        self.tags: list[tuple[str, dict[str, str | None]]] = []

    def handle_data(self, data: str) -> None:
        self.text += data

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))


BITS = st.sampled_from(
    [
        "https://",
        "http://",
        "a.example",
        "/x",
        "<",
        ">",
        '"',
        "'",
        "&",
        "&amp;",
        "@",
        "\u202e",
        "\n",
        " ",
        "(",
        ")",
        "javascript:",
    ]
)


@given(st.lists(BITS | st.text(max_size=5), max_size=12).map("".join))
def test_a_page_shows_the_text_and_links_to_web_addresses_alone(text: str) -> None:
    html = str(linked(text))

    seen = Seen()
    seen.feed(html)
    seen.close()

    assert seen.text == unescape(seen.text) or "&" in text
    assert seen.text == lines(text)
    for tag, attributes in seen.tags:
        assert tag == "a"
        assert set(attributes) == {"href", "rel"}
        assert str(attributes["href"]).lower().startswith(("https://", "http://"))
        assert str(attributes["href"]) in text
