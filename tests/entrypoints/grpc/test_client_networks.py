"""From where a call comes: spoofed headers change nothing."""

from ipaddress import ip_network
from typing import Any, cast
from uuid import uuid4

import pytest

from kapda.api.catalog.v1 import catalog_service_pb2 as pb
from kapda.api.catalog.v1.catalog_service_pb2_grpc import CatalogServiceStub
from kapda.domain.catalog.product import ProductDetail
from kapda.entrypoints.grpc.call import Call, Context, begin, current
from kapda.entrypoints.grpc.interceptors.client_networks import ClientNetworks
from tests.entrypoints.grpc import samples
from tests.entrypoints.grpc.conftest import Running, Start

OURS, OURS_TEXT = ip_network("10.1.2.0/28"), "10.1.2.0/24"
XFF = "x-forwarded-for"


class Connection:
    """What the interceptor looks at of a call's context."""

    def __init__(self, peer: str) -> None:
        self._peer = peer

    def peer(self) -> str:
        """Grpc's name of the other end."""
        return self._peer


async def client_of(peer: str, *forwarded: str) -> str:
    """The client of a call over such a connection with such x-forwarded-for headers."""
    headers = (("user-agent", "203.0.113.77"), *((XFF, value) for value in forwarded))
    begin(Call("/a.B/C", "a-request", headers))
    connection = cast("Context", Connection(peer))

    async def proceed(_request: Any, _context: Context) -> bytes:
        return current().client.text.encode()

    answer = await ClientNetworks([OURS]).around("/a.B/C", b"", connection, proceed)
    return answer.decode()


@pytest.mark.parametrize(
    ("peer", "network"),
    [
        ("ipv4:203.0.113.9:4711", "203.0.113.0/24"),
        ("ipv6:%5B2001:db8:7:1::9%5D:4711", "2001:db8:7::/48"),
        ("ipv6:[2001:db8:7:1::9]:4711", "2001:db8:7::/48"),
        ("ipv6:%5B::1%5D:4711", "::/48"),
        ("ipv6:%5Bfe80::1%25eth0%5D:4711", "fe80::/48"),
        ("ipv6:%5B::ffff:203.0.113.9%5D:4711", "203.0.113.0/24"),
        ("unix:", "unknown"),
        ("unix:/run/kapda.sock", "unknown"),
        ("unix:203.0.113.9:4711", "unknown"),
        ("unix-abstract:kapda", "unknown"),
        ("", "unknown"),
    ],
)
@pytest.mark.parametrize("forwarded", [(), ("198.51.100.7",), ("10.1.2.3", "198.51.100.7, 10.1.2.3")])
async def test_the_other_end_of_the_connection_is_the_client_whatever_it_says_of_itself(
    peer: str, forwarded: tuple[str, ...], network: str
) -> None:
    assert await client_of(peer, *forwarded) == network


@pytest.mark.parametrize(
    ("forwarded", "network"),
    [
        (("198.51.100.7",), "198.51.100.0/24"),
        (("198.51.100.7:51234",), "198.51.100.0/24"),
        (("  198.51.100.7\t",), "198.51.100.0/24"),
        (("2001:db8:9::1",), "2001:db8:9::/48"),
        (("[2001:db8:9::1]",), "2001:db8:9::/48"),
        (("[2001:db8:9::1]:443",), "2001:db8:9::/48"),
        (("::ffff:198.51.100.7",), "198.51.100.0/24"),
        (("192.0.2.1, 198.51.100.7",), "198.51.100.0/24"),
        (("192.0.2.1,198.51.100.7",), "198.51.100.0/24"),
        (("192.0.2.1, 10.1.2.3, 198.51.100.7",), "198.51.100.0/24"),
        (("192.0.2.1", "192.0.2.2, 198.51.100.7"), "198.51.100.0/24"),
        (("198.51.100.7, 10.1.2.9",), OURS_TEXT),
    ],
)
@pytest.mark.parametrize("peer", ["ipv4:10.1.2.3:4711", "ipv6:%5B::ffff:10.1.2.3%5D:4711"])
async def test_of_our_own_gateway_the_hop_it_added_last_is_believed(
    peer: str, forwarded: tuple[str, ...], network: str
) -> None:
    assert await client_of(peer, *forwarded) == network


@pytest.mark.parametrize(
    "forwarded", [(), ("",), (" , ",), ("unknown",), ("198.51.100.7,",), ("198.51.100.7, _hidden",), ("a:b:c:",)]
)
async def test_a_gateway_that_names_no_hop_is_the_client_itself(forwarded: tuple[str, ...]) -> None:
    assert await client_of("ipv4:10.1.2.3:4711", *forwarded) == OURS_TEXT


async def test_a_neighbour_of_our_gateway_is_no_gateway() -> None:
    assert await client_of("ipv4:10.1.2.16:4711", "198.51.100.7") == OURS_TEXT


async def clients_seen(served: Running, *headers: tuple[str, str]) -> str:
    """The client of a real call with such headers."""
    seen: list[str] = []

    async def get_product(_: object) -> ProductDetail:
        seen.append(current().client.text)
        return samples.PRODUCT

    served.use_cases.behaviours["get_product"] = get_product
    request = pb.GetProductRequest(product_id=str(uuid4()))
    await CatalogServiceStub(served.channel).GetProduct(request, metadata=headers)
    return seen[0]


async def test_on_the_wire_a_spoofed_header_changes_nothing(served: Running) -> None:
    assert await clients_seen(served) == "127.0.0.0/24"
    assert await clients_seen(served, (XFF, "198.51.100.7"), (XFF, "10.1.2.3")) == "127.0.0.0/24"


async def test_on_the_wire_a_gateways_last_hop_wins_over_every_header_sent_through_it(start: Start) -> None:
    behind = await start(trusted_proxies=[ip_network("127.0.0.0/8")])
    headers = ((XFF, "192.0.2.1"), (XFF, "192.0.2.2, 198.51.100.7"))
    assert await clients_seen(behind, *headers) == "198.51.100.0/24"
