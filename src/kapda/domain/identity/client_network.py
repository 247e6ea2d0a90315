"""From where somebody calls, as coarse as it has to be for counting: a network, not an address."""

from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import ClassVar

# A household or a small office; whoever rents a whole one is one caller to us.
IPV4_PREFIX = 24
# What providers give a site: every device in it may change its address at will, and does.
IPV6_PREFIX = 48


@dataclass(frozen=True, slots=True)
class ClientNetwork:
    """The network of a caller: `203.0.113.0/24` or `2001:db8:7::/48`; `unknown` where there is no address to go by.

    Throttles count by it, and people recognise their sessions by it. An IPv4 address written as IPv6 is the IPv4 one.
    """

    text: str

    UNKNOWN: ClassVar["ClientNetwork"]

    @classmethod
    def of_address(cls, address: str) -> "ClientNetwork":
        """The network of an IP address. Raises ValueError for any other text, one with a port among them."""
        parsed = ip_address(address.strip())
        if isinstance(parsed, IPv6Address):
            if parsed.ipv4_mapped is None:
                # The number, because the zone of a link-local address is of no meaning to us.
                return cls(str(IPv6Network((int(parsed), IPV6_PREFIX), strict=False)))
            parsed = parsed.ipv4_mapped
        return cls(str(IPv4Network((int(parsed), IPV4_PREFIX), strict=False)))


ClientNetwork.UNKNOWN = ClientNetwork("unknown")
