"""The network of an address."""

import pytest

from kapda.domain.identity.client_network import ClientNetwork


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("203.0.113.9", "203.0.113.0/24"),
        ("203.0.113.255", "203.0.113.0/24"),
        (" 203.0.113.9 ", "203.0.113.0/24"),
        ("2001:db8:7:1::9", "2001:db8:7::/48"),
        ("2001:0DB8:0007:ffff:ffff:ffff:ffff:ffff", "2001:db8:7::/48"),
        ("::1", "::/48"),
        ("::ffff:203.0.113.9", "203.0.113.0/24"),
        ("::ffff:cb00:7109", "203.0.113.0/24"),
        ("fe80::1%eth0", "fe80::/48"),
    ],
)
def test_an_address_is_one_of_its_network(address: str, network: str) -> None:
    assert ClientNetwork.of_address(address).text == network


@pytest.mark.parametrize("text", ["", "unknown", "203.0.113", "203.0.113.9:80", "[::1]", "203.0.113.0/24", "1"])
def test_what_is_no_address_has_no_network(text: str) -> None:
    with pytest.raises(ValueError, match="does not appear to be"):
        ClientNetwork.of_address(text)
