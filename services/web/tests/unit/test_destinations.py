"""May PagerPal call what is at this address?"""

import pytest
from pagerpal_web.domain.destinations import is_public


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "10.1.2.3",
        "172.16.0.1",
        "192.168.1.1",
        "100.64.0.1",
        "169.254.169.254",  # the metadata service of clouds
        "0.0.0.0",
        "224.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "fe80::1",
        "fe80::1%eth0",
        "fd00:ec2::254",
        "ff02::1",
        "::ffff:127.0.0.1",
        "::ffff:169.254.169.254",
        "64:ff9b::a9fe:a9fe",  # 169.254.169.254 by NAT64
        "2002:7f00:1::",  # 127.0.0.1 by 6to4
    ],
)
def test_what_is_not_everybodys_is_not_called(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("address", ["93.184.216.34", "2606:4700::6810:84e5", "64:ff9b::5db8:d822"])
def test_what_is_in_the_public_internet_may_be(address: str) -> None:
    assert is_public(address)
