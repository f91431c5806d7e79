"""What could another site's page have sent? And where does a login lead?"""

import pytest
from pagerpal_web.domain.origins import HOME, is_from_elsewhere, is_local, is_local_name, origin_of, safe_next

HOST = {"host": "pager.example.org"}


@pytest.mark.parametrize(
    "said",
    [
        {},
        {"origin": "https://pager.example.org"},
        {"origin": "http://pager.example.org"},
        {"origin": "https://pager.example.org:443"},
        {"origin": "https://PAGER.example.org", "sec-fetch-site": "same-origin"},
        {"sec-fetch-site": "none"},
        {"host": "pager.example.org:8000", "origin": "http://pager.example.org:8000"},
        {"host": "[::1]:8000", "origin": "http://[::1]:8000"},
        {"host": "web:8005", "origin": "https://public.example.org"},
    ],
    ids=str,
)
def test_our_own_pages_and_what_is_no_browser_are_let_through(said: dict[str, str]) -> None:
    assert not is_from_elsewhere({**HOST, **said}, "https://public.example.org")


@pytest.mark.parametrize(
    "said",
    [
        {"origin": "https://evil.example"},
        {"origin": "null"},
        {"origin": ""},
        {"origin": "https://pager.example.org.evil.example"},
        {"origin": "https://pager.example.org@evil.example"},
        {"origin": "https://pager.example.org:8443"},
        {"origin": "https://pager.example.org:nonsense"},
        {"origin": "http://[::1"},
        {"origin": "ftp://pager.example.org"},
        {"origin": "https://public.example.org.evil.example"},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
        {"sec-fetch-site": "CROSS-SITE"},
        {"sec-fetch-site": "cross-site", "origin": "https://pager.example.org"},
        {"sec-fetch-site": "same-origin", "origin": "https://evil.example"},
        {"host": "", "origin": "https://pager.example.org"},
        {"host": "[", "origin": "https://pager.example.org"},
    ],
    ids=str,
)
def test_other_sites_pages_are_not(said: dict[str, str]) -> None:
    assert is_from_elsewhere({**HOST, **said}, "https://public.example.org")


@pytest.mark.parametrize(
    "path", ["/", "/incidents", "/incidents/42?tab=events&x=%2F%2F", "/a-b_c.d~e/f", "/incidents?next=//evil", "/a#b"]
)
def test_a_login_leads_to_a_path_of_ours(path: str) -> None:
    assert safe_next(path) == path


@pytest.mark.parametrize(
    "path",
    [
        None,
        "",
        "incidents",
        "https://evil.example",
        "//evil.example",
        "///evil.example",
        "/\\evil.example",
        "\\\\evil.example",
        "/%2fevil.example",
        "/%2F/evil.example",
        "/%5cevil.example",
        "/%5C%5Cevil.example",
        "/%252fevil.example",
        "/\t/evil.example",
        "/%09/evil.example",
        "/\n/evil.example",
        "/%0d%0aSet-Cookie:x",
        "/\r\nSet-Cookie: x=1",
        "/\0",
        "/%00",
        " /evil",
        "/ /evil.example",
        "javascript:alert(1)",
        "/\u2215evil.example",
        "/ü",
        "/a//evil.example",
        "/a?b=\\evil",
        "/\x7f",
    ],
)
def test_a_login_leads_nowhere_else(path: str | None) -> None:
    assert safe_next(path) == HOME


@pytest.mark.parametrize(
    ("url", "origin"),
    [
        ("https://Pager.example.org/", "https://pager.example.org"),
        ("https://pager.example.org:443/x", "https://pager.example.org"),
        ("http://pager.example.org:8000", "http://pager.example.org:8000"),
        ("http://[::1]:8000/", "http://[::1]:8000"),
    ],
)
def test_the_origin_of_a_url_is_written_as_browsers_write_it(url: str, origin: str) -> None:
    assert origin_of(url) == origin


@pytest.mark.parametrize("url", ["pager.example.org", "ftp://x", "https://", "https://x:port", "", "/x"])
def test_what_is_no_url_has_none(url: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        origin_of(url)


def test_only_this_machines_own_names_are_local() -> None:
    assert all(map(is_local, ("127.0.0.1", "127.1.2.3", "::1", "[::1]", "localhost", "LOCALHOST")))
    assert not any(map(is_local, ("0.0.0.0", "::", "192.0.2.1", "localhost.evil.example", "", "unknown", "127.1")))
    assert all(map(is_local_name, ("127.0.0.1:8000", "localhost", "[::1]:8000", "localhost:80")))
    assert not any(map(is_local_name, ("evil.example:8000", "127.0.0.1.evil.example", "", "[", "pagerpal")))
