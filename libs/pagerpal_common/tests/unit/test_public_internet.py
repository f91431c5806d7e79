"""Which addresses are on the public internet?"""

import pytest
from pagerpal_common.public_internet import is_public


@pytest.mark.parametrize(
    "address",
    [
        "93.184.216.34",
        "1.1.1.1",
        "2606:4700::6810:84e5",
        "2606:4700:4700::1111",
        "::ffff:1.1.1.1",
        "64:ff9b::5db8:d822",
    ],
)
def test_the_internet_is_public(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize(
    "address",
    [
        "0.0.0.0",
        "10.1.2.3",
        "100.64.0.1",
        "127.0.0.1",
        "169.254.169.254",  # the metadata service of clouds
        "172.16.0.1",
        "192.0.2.1",
        "192.168.1.1",
        "198.18.0.1",
        "224.0.0.1",
        "240.0.0.1",
        "255.255.255.255",
        "2001:0:7f00:1::",
        "2001:db8::1",
        "2002:7f00:1::",  # 127.0.0.1 by 6to4
        "64:ff9b:1::a00:1",
        "64:ff9b::a00:1",
        "64:ff9b::a9fe:a9fe",  # 169.254.169.254 by NAT64
        "::",
        "::1",
        "::10.0.0.1",
        "::ffff:127.0.0.1",
        "::ffff:169.254.169.254",
        "fc00::1",
        "fd00:ec2::254",
        "fe80::1",
        "fe80::1%eth0",
        "ff02::1",
    ],
)
def test_nothing_of_ours_or_of_a_cloud_is(address: str) -> None:
    assert not is_public(address)
