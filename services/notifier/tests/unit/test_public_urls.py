"""Which addresses are on the public internet?"""

import pytest
from pagerpal_notifier.domain.public_urls import is_public, problem_of_url


@pytest.mark.parametrize("address", ["93.184.216.34", "1.1.1.1", "2606:4700:4700::1111", "::ffff:1.1.1.1"])
def test_the_internet_is_public(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize(
    "address",
    [
        "0.0.0.0",
        "10.1.2.3",
        "100.64.0.1",
        "127.0.0.1",
        "169.254.169.254",
        "172.16.0.1",
        "192.0.2.1",
        "192.168.1.1",
        "198.18.0.1",
        "224.0.0.1",
        "240.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "::ffff:127.0.0.1",
        "::ffff:169.254.169.254",
        "::10.0.0.1",
        "2001:db8::1",
        "2001:0:7f00:1::",
        "2002:7f00:1::",
        "64:ff9b::a00:1",
        "64:ff9b:1::a00:1",
        "fc00::1",
        "fd00:ec2::254",
        "fe80::1",
        "fe80::1%eth0",
        "ff02::1",
    ],
)
def test_nothing_of_ours_or_of_a_cloud_is(address: str) -> None:
    assert not is_public(address)


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
