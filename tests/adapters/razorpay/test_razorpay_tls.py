"""The wire is encrypted for a server that somebody vouches for, or nothing is sent; and trust is read once a process."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from kapda.adapters.razorpay import session
from kapda.domain.payments.gateway import GatewayUnknownError
from tests.adapters.razorpay.conftest import ORDER, Connect, Server, reply
from tests.certificates import certified

ORDER_ID = "order_AAAAAAAAAAAAAA"
CALLERS = 6


@pytest.fixture(autouse=True)
def trust_of_its_own() -> Iterator[None]:
    session._read_trust.cache_clear()
    yield
    session._read_trust.cache_clear()


@pytest.fixture
async def encrypted(tmp_path: Path) -> AsyncIterator[Server]:
    """A server with a certificate that `trusted.pem` vouches for."""
    serving, _ = certified(tmp_path)
    scripted = Server([reply(ORDER)])
    listening = await asyncio.start_server(scripted.serve, "127.0.0.1", 0, ssl=serving)
    scripted.port = listening.sockets[0].getsockname()[1]
    yield scripted
    scripted.closing.set()
    listening.close()
    await asyncio.sleep(0.01)


async def test_a_server_nobody_vouches_for_hears_nothing(encrypted: Server, connect: Connect) -> None:
    gateway = connect(base_url=f"https://127.0.0.1:{encrypted.port}")
    with pytest.raises(GatewayUnknownError):
        await gateway.fetch_order(ORDER_ID)
    assert encrypted.requests == []


async def test_the_machines_trust_is_read_once_for_all_connections(
    encrypted: Server, connect: Connect, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "trusted.pem"))
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/nowhere.pem")
    read: list[str] = []
    load = ssl.SSLContext.load_verify_locations

    def counting(context: ssl.SSLContext, cafile: str | None = None, *rest: str) -> None:
        read.append(cafile or "another")
        load(context, cafile, *rest)

    monkeypatch.setattr(ssl.SSLContext, "load_verify_locations", counting, raising=False)
    patient = dict.fromkeys(("connect_timeout", "read_timeout", "total_timeout"), 5.0)
    gateway = connect(base_url=f"https://127.0.0.1:{encrypted.port}", threads=CALLERS, **patient)
    found = await asyncio.gather(*(gateway.fetch_order(ORDER_ID) for _ in range(CALLERS)))
    assert {order.id for order in found if order is not None} == {ORDER_ID}
    await gateway.close()
    assert len(encrypted.requests) == CALLERS
    assert read == [str(tmp_path / "trusted.pem")]
