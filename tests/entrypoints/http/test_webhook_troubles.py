"""Deliveries that meet a database in trouble: answered in time, and whole or absent in the end."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import pytest
from prometheus_client import CollectorRegistry
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine
from structlog.testing import capture_logs

from kapda.adapters.embedded.processes import free_port
from kapda.adapters.postgres.engine import make_engine
from kapda.domain.payments.gateway_event import GatewayEvent
from kapda.domain.payments.use_cases.receive_gateway_event import ReceiveGatewayEventCommand
from kapda.domain.shared.errors import AbortedError, Reason
from kapda.entrypoints.http.server import serving_http
from kapda.entrypoints.http.webhooks import create_webhooks_app
from tests.entrypoints.http.conftest import PATH, RunShim, captured
from tests.waiting import until

JOB = ("process_gateway_event", "queued")


@asynccontextmanager
async def writes_wait(engine: AsyncEngine) -> AsyncIterator[None]:
    """Inside the block every write to the inbox waits."""
    async with engine.begin() as connection:
        await connection.execute(text("LOCK TABLE gateway_events IN EXCLUSIVE MODE"))
        yield


async def test_a_slow_database_is_answered_for_in_time_and_the_redelivery_has_one_effect(run_shim: RunShim) -> None:
    async with run_shim(answer_seconds=0.3) as shim:
        async with writes_wait(shim.engine):
            started = time.monotonic()
            late = await shim.deliver(captured())
            assert time.monotonic() - started < 1.5
        assert late.status_code == 503
        assert late.headers["retry-after"] == "1"
        assert late.json()["error"]["code"] == "SERVICE_UNAVAILABLE"
        assert await shim.counted("late") == 1
        assert (await shim.deliver(captured())).status_code == 200
        assert len(await shim.events()) == 1
        assert await shim.jobs() == [JOB]


async def test_what_was_answered_with_503_is_still_stored_when_the_database_was_only_slow(run_shim: RunShim) -> None:
    async with run_shim(answer_seconds=0.2) as shim:
        async with writes_wait(shim.engine):
            assert (await shim.deliver(captured())).status_code == 503

        async def is_stored() -> bool:
            return await shim.events() != []

        await until(is_stored)
        assert await shim.jobs() == [JOB]


async def test_within_the_limit_of_three_seconds_by_default(run_shim: RunShim) -> None:
    async with run_shim() as shim, writes_wait(shim.engine):
        started = time.monotonic()
        answer = await shim.deliver(captured())
        assert answer.status_code == 503
        assert 2.5 < time.monotonic() - started < 4


async def test_a_database_that_is_down_is_answered_for_with_503(run_shim: RunShim) -> None:
    nowhere = make_engine(f"postgresql://postgres@127.0.0.1:{free_port()}/none")
    async with run_shim(database=nowhere) as shim:
        answer = await shim.deliver(captured())
        assert answer.status_code == 503
        assert answer.headers["retry-after"] == "1"
        assert await shim.counted("unavailable") == 1
        # The process lives all the same.
        assert (await shim.client.get("/api/health")).status_code == 200
    await nowhere.dispose()


async def test_a_delivery_at_work_is_answered_when_the_server_stops(run_shim: RunShim) -> None:
    async with httpx.AsyncClient(trust_env=False) as client:
        async with run_shim() as shim, writes_wait(shim.engine):
            url = shim.client.base_url.join(PATH)
            delivery = asyncio.create_task(client.post(url, content=captured().body, headers=captured().headers()))
            # The lock goes and the server stops at the same time.
            await asyncio.sleep(0.3)
        assert (await delivery).status_code == 200
    assert await shim.jobs() == [JOB]


class Fails:
    """A use case that fails with whatever it is given."""

    def __init__(self, error: Exception) -> None:
        self._error = error

    async def execute(self, command: ReceiveGatewayEventCommand, /) -> GatewayEvent:
        raise self._error


async def _answer_of_failing(error: Exception) -> httpx.Response:
    app = create_webhooks_app(Fails(error), {}, registry=CollectorRegistry())
    async with (
        serving_http(app, "127.0.0.1:0") as url,
        httpx.AsyncClient(base_url=url, trust_env=False) as client,
    ):
        return await client.post(PATH, content=b"{}")


async def test_a_lost_race_comes_again() -> None:
    answer = await _answer_of_failing(AbortedError(Reason.CONCURRENT_UPDATE, "another was faster"))
    assert answer.status_code == 503


async def test_the_unexpected_is_a_500_without_a_word_of_it() -> None:
    with capture_logs() as lines:
        answer = await _answer_of_failing(ValueError("the row held 4111 1111 1111 1111"))
    assert answer.status_code == 500
    assert answer.json()["error"]["code"] == "INTERNAL"
    assert "4111" not in answer.text
    assert "4111" not in repr(lines)
    (failure,) = [line for line in lines if line["event"] == "request failed"]
    assert failure["raised"][0]["type"] == "builtins.ValueError"


@pytest.mark.parametrize("sender", ["52.66.75.174/8", "razorpay.com"])
def test_a_sender_that_is_no_network_stops_the_start(sender: str) -> None:
    with pytest.raises(ValueError, match=r"does not appear|has host bits"):
        create_webhooks_app(Fails(ValueError()), {}, registry=CollectorRegistry(), allowed_senders=(sender,))
