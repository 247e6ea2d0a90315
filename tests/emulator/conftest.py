"""An emulator over real HTTP, a clock that moves by hand, and a receiver of webhooks."""

import asyncio
import socket
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from kapda.emulator import EmulatorSettings, create_app, serving

KEY_ID = "rzp_test_emulator"
KEY_SECRET = "emulator key secret"
WEBHOOK_SECRET = "emulator webhook secret"
Json = dict[str, Any]


class HandClock:
    """Starts at a fixed time and moves by hand only."""

    def __init__(self) -> None:
        self.time = 1_750_000_000.0

    def now(self) -> float:
        return self.time


@dataclass(frozen=True)
class Emulator:
    """One running emulator as its callers see it."""

    url: str
    http: httpx.AsyncClient
    clock: HandClock

    async def call(self, method: str, path: str, body: object = None, **options: Any) -> Json:
        """Calls and expects success."""
        response = await self.http.request(method, path, json=body, **options)
        assert response.is_success, response.text
        found: Json = response.json()
        return found

    async def refused(self, method: str, path: str, body: object = None, **options: Any) -> tuple[int, Json]:
        """Calls and expects a refusal; returns its status and its error object."""
        response = await self.http.request(method, path, json=body, **options)
        assert not response.is_success, response.text
        assert set(response.json()) == {"error"}
        return response.status_code, response.json()["error"]

    async def order(self, amount: int = 50_000, **fields: object) -> Json:
        """Makes an order."""
        return await self.call("POST", "/v1/orders", {"amount": amount, "currency": "INR", **fields})

    async def pay(self, order: Json, **how: object) -> Json:
        """Plays the customer."""
        return await self.call("POST", "/emulator/pay", {"order_id": order["id"], **how})

    async def advance(self, seconds: float) -> None:
        """Lets time pass, with all that falls due."""
        await self.call("POST", "/emulator/clock", {"advance_seconds": seconds})

    async def arm(self, *faults: Json) -> None:
        """Arms these faults and no others."""
        await self.call("PUT", "/emulator/faults", list(faults))

    async def settled(self) -> list[Json]:
        """Waits until nothing is being sent; all deliveries."""
        await self.advance(0)
        found: list[Json] = (await self.call("GET", "/emulator/deliveries"))["items"]
        return found

    async def captured(self, amount: int = 50_000) -> Json:
        """Makes an order, pays it and returns the payment."""
        triple = await self.pay(await self.order(amount))
        return await self.call("GET", f"/v1/payments/{triple['razorpay_payment_id']}")


@asynccontextmanager
async def running(*, real_clock: bool = False, **settings: Any) -> AsyncIterator[Emulator]:
    """Runs an emulator with these settings, on a clock that stands still unless `real_clock` leaves it the settings' own."""
    clock = HandClock()
    given = EmulatorSettings(**{"key_id": KEY_ID, "key_secret": KEY_SECRET, **settings})
    async with (
        serving(given, None if real_clock else clock) as url,
        httpx.AsyncClient(base_url=url, auth=(KEY_ID, KEY_SECRET), trust_env=False) as http,
    ):
        yield Emulator(url, http, clock)


Start = Callable[..., Any]


@pytest.fixture
async def start() -> AsyncIterator[Start]:
    """A function that starts an emulator which ends with the test."""
    async with AsyncExitStack() as stack:

        async def begin(**settings: Any) -> Emulator:
            return await stack.enter_async_context(running(**settings))

        yield begin


@pytest.fixture
async def emulator() -> AsyncIterator[Emulator]:
    """An emulator without webhooks, called without a socket: quick, for what HTTP itself does not change."""
    clock = HandClock()
    app = create_app(EmulatorSettings(key_id=KEY_ID, key_secret=KEY_SECRET), clock)
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://emulator", auth=(KEY_ID, KEY_SECRET)) as http:
        yield Emulator("http://emulator", http, clock)


@dataclass
class Receiver:
    """Takes webhooks; answers with the scripted statuses, then with 200."""

    url: str = ""
    script: list[int] = field(default_factory=list)
    came: asyncio.Condition = field(default_factory=asyncio.Condition)
    requests: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    delay: float = 0.0

    async def take(self, request: Request) -> Response:
        async with self.came:
            self.requests.append((dict(request.headers), await request.body()))
            self.came.notify_all()
        await asyncio.sleep(self.delay)
        return Response(status_code=self.script.pop(0) if self.script else 200)

    async def wait_for(self, count: int) -> list[tuple[dict[str, str], bytes]]:
        """Waits until so many webhooks came."""
        async with asyncio.timeout(10), self.came:
            await self.came.wait_for(lambda: len(self.requests) >= count)
        return self.requests


class _Server(uvicorn.Server):
    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


@pytest.fixture(scope="session")
async def hooks() -> AsyncIterator[tuple[str, dict[str, Receiver]]]:
    """One server for all receivers: its address, and who takes what comes for which name."""
    taking: dict[str, Receiver] = {}

    async def take(request: Request) -> Response:
        return await taking[request.path_params["name"]].take(request)

    app = Starlette(routes=[Route("/{name}", take, methods=["POST"])])
    server = _Server(uvicorn.Config(app, port=0, log_level="warning", lifespan="off"))
    task = asyncio.create_task(server.serve())
    while not server.started:  # noqa: ASYNC110 - uvicorn offers nothing to wait on
        await asyncio.sleep(0.005)
    yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}", taking
    server.should_exit = True
    await task


@pytest.fixture
def receiver(hooks: tuple[str, dict[str, Receiver]]) -> Receiver:
    """A receiver of webhooks."""
    address, taking = hooks
    name = f"hook{len(taking)}"
    taking[name] = Receiver(url=f"{address}/{name}")
    return taking[name]


@pytest.fixture
def closed_port() -> int:
    """A port on which nobody listens."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port: int = sock.getsockname()[1]
    return port
