"""Which URLs may a page be posted to?"""

import pytest
from pagerpal_notifier.domain.public_urls import problem_of_url


@pytest.mark.parametrize(
    "url", ["https://hooks.example.com/a/b?c=d", "https://hooks.example.com:8443/", "https://1.1.1.1"]
)
def test_a_plain_url_is_taken(url: str) -> None:
    assert problem_of_url(url, schemes={"https"}) is None


@pytest.mark.parametrize(
    "url",
    [
        "",
        "https://",
        "https:///x",
        "https://:443/x",
        "http://hooks.example.com",
        "https://a@hooks.example.com",
        "https://a:" + "b@hooks.example.com",
        "https://@hooks.example.com",
        "https://hooks.example.com:0",
        "https://hooks.example.com:99999",
        "https://hooks.example.com:x",
        "https://[::1",
        "https://hooks.example.com/\r\nHost: x",
        "https://hooks.example.com\\@10.0.0.1/",
        "https://hooks\uff0eexample.com/",
        "https://hooks.example.com/" + "x" * 2000,
    ],
)
def test_anything_else_is_not_and_is_not_quoted(url: str) -> None:
    problem = problem_of_url(url, schemes={"https"})

    assert problem is not None
    assert "example" not in problem
