"""From where the call comes: what the connection says, or what our own gateway says. Never what the caller says."""

from collections.abc import Collection, Iterable
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import TypeAlias
from urllib.parse import unquote

from kapda.domain.identity.client_network import ClientNetwork
from kapda.entrypoints.grpc.call import Context, current
from kapda.entrypoints.grpc.interceptors.unary import Proceed, UnaryInterceptor

FORWARDED_KEY = "x-forwarded-for"
# Connections live long and a gateway's callers come again: most addresses are known by the second call.
_REMEMBERED = 4096

IpAddress: TypeAlias = IPv4Address | IPv6Address
IpNetwork: TypeAlias = IPv4Network | IPv6Network


class ClientNetworks(UnaryInterceptor):
    """Finds the network of each call's client.

    Proxies append to `x-forwarded-for` and pass on what was there. So only the last hop is believed, the one that the
    proxy itself saw, and only where the connection comes from a proxy of ours: everything before it is the caller's
    own claim. A proxy of ours that names no hop is counted as the client.
    """

    def __init__(self, trusted_proxies: Collection[IpNetwork] = ()) -> None:
        super().__init__()
        self._trusted = tuple(trusted_proxies)
        self._of_peer = lru_cache(_REMEMBERED)(self._read_peer)

    async def around(self, _method: str, request: bytes, context: Context, proceed: Proceed, /) -> bytes:
        """Serve the call, its client's network known."""
        call = current()
        network, is_proxy = self._of_peer(context.peer())
        if is_proxy:
            network = _network_of(_last_hop(call.values(FORWARDED_KEY))) or network
        call.client = network
        return await proceed(request, context)

    def _read_peer(self, peer: str) -> tuple[ClientNetwork, bool]:
        """The network of grpc's name for the other end of a connection, and whether a proxy of ours is there."""
        address = _address(_host_of_peer(peer))
        if address is None:
            return ClientNetwork.UNKNOWN, False
        return ClientNetwork.of_address(str(address)), any(address in network for network in self._trusted)


def _host_of_peer(peer: str) -> str:
    """`ipv4:203.0.113.9:4711` and `ipv6:%5B2001:db8::1%5D:4711` without scheme; what `unix:` sockets have is no host."""
    scheme, _, rest = peer.partition(":")
    return unquote(rest) if scheme in ("ipv4", "ipv6") else ""


def _last_hop(forwarded: Iterable[str]) -> str:
    """The last element of the last header: several of one name are one list, in their order."""
    hop = ""
    for value in forwarded:
        hop = value.rpartition(",")[2]
    return hop


@lru_cache(_REMEMBERED)
def _network_of(hop: str) -> ClientNetwork | None:
    address = _address(hop)
    return None if address is None else ClientNetwork.of_address(str(address))


def _address(text: str) -> IpAddress | None:
    """The IP address of a host that may come with a port, IPv6 then in brackets; IPv4 if it is IPv4 in IPv6's dress."""
    host = text.strip()
    if host.startswith("["):
        host = host[1:].partition("]")[0]
    elif host.count(":") == 1:
        host = host.partition(":")[0]
    try:
        address = ip_address(host)
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address
