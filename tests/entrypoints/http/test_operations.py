"""Health, readiness and metrics over HTTP, and the server around them."""

import asyncio
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

import httpx
import pytest
from prometheus_client import CollectorRegistry, Counter
from starlette.applications import Starlette
from starlette.middleware import Middleware
from structlog.testing import capture_logs

from kapda.entrypoints.http.operations import OPERATIONS_PATHS, Probe, Readiness, operations_routes
from kapda.entrypoints.http.request_log import RequestLog
from kapda.entrypoints.http.server import serve_http, serving_http


async def answers() -> bool:
    return True


async def does_not() -> bool:
    return False


async def breaks() -> bool:
    raise ConnectionRefusedError


async def hangs() -> bool:
    await asyncio.sleep(60)
    return True


def app(probes: Mapping[str, Probe], registry: CollectorRegistry | None = None) -> Starlette:
    return Starlette(
        routes=operations_routes(Readiness(probes, seconds=0.2), registry or CollectorRegistry()),
        middleware=[Middleware(RequestLog, quiet=OPERATIONS_PATHS)],
    )


@asynccontextmanager
async def client_of(application: Starlette) -> AsyncIterator[httpx.AsyncClient]:
    async with (
        serving_http(application, "127.0.0.1:0") as url,
        httpx.AsyncClient(base_url=url, trust_env=False) as client,
    ):
        yield client


async def test_ready_when_every_dependency_answers() -> None:
    async with client_of(app({"database": answers, "redis": answers})) as client:
        assert (await client.get("/api/ready")).status_code == 200


async def test_not_ready_names_what_does_not_answer_and_waits_for_nothing_that_hangs() -> None:
    async with client_of(app({"database": answers, "redis": does_not, "queue": breaks, "disk": hangs})) as client:
        started = time.monotonic()
        answer = await client.get("/api/ready")
        assert time.monotonic() - started < 2
        assert answer.status_code == 503
        assert answer.json()["error"]["code"] == "NOT_READY"
        assert answer.json()["error"]["message"] == "not ready: redis, queue, disk"
        assert (await client.get("/api/health")).status_code == 200


async def test_many_askers_make_one_question() -> None:
    asked = 0

    async def slow() -> bool:
        nonlocal asked
        asked += 1
        await asyncio.sleep(0.05)
        return True

    readiness = Readiness({"database": slow})
    assert await asyncio.gather(*(readiness.failing() for _ in range(10))) == [()] * 10
    assert asked == 1
    assert await readiness.failing() == ()
    assert asked == 2


async def test_metrics_are_the_registry_in_prometheus_text() -> None:
    registry = CollectorRegistry()
    Counter("kapda_things", "Things.", registry=registry).inc(3)
    async with client_of(app({}, registry)) as client:
        answer = await client.get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain")
    assert "kapda_things_total 3.0" in answer.text


async def test_probes_write_no_lines_above_debug() -> None:
    async with client_of(app({"database": answers})) as client:
        with capture_logs() as lines:
            await client.get("/api/health")
            await client.get("/api/ready")
    assert {line["log_level"] for line in lines} == {"debug"}


async def test_an_address_in_use_is_an_error_not_a_second_server() -> None:
    async with serving_http(app({}), "127.0.0.1:0") as url:
        with pytest.raises(OSError, match="in use"):
            await serve_http(app({}), url.removeprefix("http://"), asyncio.Event())


async def test_serving_ends_when_it_is_told_to() -> None:
    stop = asyncio.Event()
    serving = asyncio.create_task(serve_http(app({}), "127.0.0.1:0", stop))
    await asyncio.sleep(0.1)
    assert not serving.done()
    stop.set()
    await asyncio.wait_for(serving, 5)


async def test_an_ipv6_address_is_served() -> None:
    async with (
        serving_http(app({}), "[::1]:0") as url,
        httpx.AsyncClient(base_url=url, trust_env=False) as client,
    ):
        assert (await client.get("/api/health")).status_code == 200
