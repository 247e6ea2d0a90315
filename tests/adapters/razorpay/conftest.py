"""A server that answers with whatever bytes a test scripts, at whatever pace."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import Any

import pytest

from kapda.adapters.razorpay.gateway import RazorpayGateway
from kapda.adapters.razorpay.pool import RazorpayAccess

ORDER = {
    "id": "order_AAAAAAAAAAAAAA",
    "entity": "order",
    "amount": 5000,
    "currency": "INR",
    "receipt": "checkout-1",
    "status": "created",
    "notes": [],
    "created_at": 1_750_000_000,
}
PAYMENT = {
    "id": "pay_BBBBBBBBBBBBBB",
    "entity": "payment",
    "amount": 5000,
    "currency": "INR",
    "status": "authorized",
    "captured": False,
    "order_id": "order_AAAAAAAAAAAAAA",
    "method": "card",
    "amount_refunded": 0,
    "created_at": 1_750_000_000,
}
CLOSE = b"close"


@dataclass
class Reply:
    """One answer: `pieces` are written `pause` seconds apart.

    None instead of bytes hangs until the server ends; CLOSE closes the connection.
    """

    pieces: list[bytes | None]
    pause: float = 0.0


def raw(status: int, body: bytes, content_type: str = "application/json", **headers: str) -> Reply:
    """An ordinary answer."""
    extra = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in headers.items())
    head = f"HTTP/1.1 {status} X\r\nContent-Type: {content_type}\r\nContent-Length: {len(body)}\r\n{extra}\r\n"
    return Reply([head.encode() + body])


def reply(content: object, status: int = 200) -> Reply:
    """A JSON answer."""
    return raw(status, json.dumps(content).encode())


def error(status: int, description: str, **members: object) -> Reply:
    """An answer in Razorpay's error envelope."""
    return reply({"error": {"code": "BAD_REQUEST_ERROR", "description": description, **members}}, status)


@dataclass
class Server:
    """Answers each request with the next reply of `script`, the last one for ever."""

    script: list[Reply] = field(default_factory=list)
    requests: list[tuple[str, dict[str, str], bytes]] = field(default_factory=list)
    closing: asyncio.Event = field(default_factory=asyncio.Event)
    port: int = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while await self._answer(reader, writer):
                pass
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        line, *lines = head.strip().split("\r\n")
        headers = {name.lower(): value for name, value in (text.split(": ", 1) for text in lines)}
        body = await reader.readexactly(int(headers.get("content-length", "0")))
        self.requests.append((line, headers, body))
        answer = self.script.pop(0) if len(self.script) > 1 else self.script[0]
        for piece in answer.pieces:
            if piece is None:
                await self.closing.wait()
                return False
            if piece is CLOSE:
                return False
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(answer.pause)
        return True


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    """The scripted server on a free port."""
    scripted = Server()
    listening = await asyncio.start_server(scripted.serve, "127.0.0.1", 0)
    scripted.port = listening.sockets[0].getsockname()[1]
    yield scripted
    scripted.closing.set()
    listening.close()
    await asyncio.sleep(0.01)


Connect = Callable[..., RazorpayGateway]


@pytest.fixture
async def connect(server: Server) -> AsyncIterator[Connect]:
    """A function that makes a gateway of short patience, closed with the test."""
    async with AsyncExitStack() as stack:

        def make(**settings: Any) -> RazorpayGateway:
            access = {
                "key_id": "rzp_test_x",
                "key_secret": "x",
                "base_url": server.url,
                "connect_timeout": 0.3,
                "read_timeout": 0.3,
                "total_timeout": 0.6,
                "threads": 2,
                **settings,
            }
            gateway = RazorpayGateway(RazorpayAccess(**access))
            stack.push_async_callback(gateway.close)
            return gateway

        yield make


@pytest.fixture
def gateway(connect: Connect) -> RazorpayGateway:
    """A gateway on the scripted server."""
    return connect()
