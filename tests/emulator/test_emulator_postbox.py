"""The courier's own small HTTP client."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest

from kapda.emulator.postbox import BadAnswerError, Postbox, parse_address


@dataclass
class Peer:
    """Answers every request with the same bytes and counts its connections."""

    answer: bytes
    url: str = ""
    connections: int = 0
    received: bytes = b""
    closes: bool = False

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        while request := await reader.read(65536):
            self.received = request
            writer.write(self.answer)
            if self.closes:
                break
        writer.close()


@pytest.fixture
async def peer() -> AsyncIterator[Peer]:
    peer = Peer(b"")
    server = await asyncio.start_server(peer.serve, "127.0.0.1", 0)
    peer.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/hook?a=b"
    yield peer
    server.close()
    await asyncio.sleep(0.01)


@pytest.mark.parametrize(
    ("answer", "status", "connections"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", 200, 1),
        (b"HTTP/1.1 204 No Content\r\n\r\n", 204, 1),
        (b"HTTP/1.1 503 Busy\r\ncontent-length: 0\r\n\r\n", 503, 1),
        (b"HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n", 200, 1),
        (b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n", 200, 2),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 200, 2),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 999999\r\n\r\nx", 200, 2),
        (b"HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n", 200, 2),
    ],
)
async def test_the_status_is_read_and_the_connection_kept_where_it_can_be(
    peer: Peer, answer: bytes, status: int, connections: int
) -> None:
    peer.answer = answer
    postbox = Postbox()
    for _ in range(2):
        assert await postbox.post(peer.url, {"X-A": "b"}, b"{}") == status
    assert peer.connections == connections
    assert peer.received.startswith(b"POST /hook?a=b HTTP/1.1\r\nHost: 127.0.0.1:")
    assert peer.received.endswith(b"\r\nX-A: b\r\nContent-Length: 2\r\n\r\n{}")
    postbox.close()


async def test_a_connection_closed_meanwhile_is_not_used_again(peer: Peer) -> None:
    peer.answer, peer.closes = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", True
    postbox = Postbox()
    for _ in range(2):
        assert await postbox.post(peer.url, {}, b"{}") == 200
        await asyncio.sleep(0.02)
    postbox.close()


@pytest.mark.parametrize("answer", [b"SSH-2.0\r\n\r\n", b"HTTP/1.1 abc\r\n\r\n", b"X" * 70_000 + b"\r\n\r\n"])
async def test_what_is_not_http_is_told(peer: Peer, answer: bytes) -> None:
    peer.answer = answer
    with pytest.raises(BadAnswerError):
        await Postbox().post(peer.url, {}, b"{}")


@pytest.mark.parametrize("url", ["", "ftp://x/", "http://", "/hook", "http://x/\r\nA: b", "http://x:99999/"])
def test_what_is_no_address_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match=r"address|[Pp]ort"):
        parse_address(url)


def test_an_address_is_taken_apart() -> None:
    address = parse_address("https://shop.example")
    assert (address.host, address.port, address.secure, address.target) == ("shop.example", 443, True, "/")
