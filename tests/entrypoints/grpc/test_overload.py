"""More come than can be served: those let in are answered, the rest is told so at once, and soon all are let in again."""

import asyncio
import sys
from contextlib import suppress

import grpc
from google.rpc import error_details_pb2 as details
from grpc_health.v1 import health_pb2

from kapda.domain.shared.request_log import Answer
from kapda.entrypoints.grpc.admission import FIRST, STANDING_SECONDS
from kapda.entrypoints.grpc.lanes import BUYING_SECONDS, Lanes
from kapda.entrypoints.grpc.self_call import SelfCall
from kapda.entrypoints.queue_probe import probe_queue
from tests.entrypoints.grpc.conftest import Running, refusal
from tests.entrypoints.grpc.test_calls import EMPTY, add_item, health_of
from tests.waiting import until

CROWD = 2 * FIRST
# More than grpc keeps unheard unless it is told to.
UNHEARD = 5_000
# More than tell of themselves in what grpc's socket holds: client and server share it here, each with some signs of a call.
LATE = 1_000


async def test_f54_a_flood_is_refused_at_once_while_health_answers_and_then_all_are_let_in_again(
    served: Running,
) -> None:
    lane, gate, pool = served.server.lanes.general, asyncio.Event(), asyncio.Semaphore(2)

    async def slow(_: object) -> object:
        async with pool:
            await gate.wait()
        return Answer(EMPTY)

    served.use_cases.behaviours["add_item"] = slow
    calls = [asyncio.ensure_future(add_item(served)) for _ in range(CROWD)]
    # Nobody has been served yet: whoever has an answer was refused.
    await until(lambda: sum(call.done() for call in calls) >= CROWD - FIRST)
    refused, let_in = [call for call in calls if call.done()], [call for call in calls if not call.done()]
    assert len(let_in) == FIRST
    for call in refused:
        told = await refusal(call)
        assert (told.code, told.info.reason) == (grpc.StatusCode.UNAVAILABLE, "OVERLOADED")
        assert told.detail(details.RetryInfo).retry_delay.ToMilliseconds() == 1000
    assert await health_of(served) == health_pb2.HealthCheckResponse.SERVING

    probe = asyncio.create_task(probe_queue(lambda: pool, lane.waited, impatient_after=0.05, interval=0.01))
    try:
        await until(lambda: lane.limit < FIRST // 2)
        assert (await refusal(add_item(served))).info.reason == "OVERLOADED"

        gate.set()

        assert all(answer.cart.etag == "v3" for answer in await asyncio.gather(*let_in))
        await until(lambda: lane.limit == FIRST)
        assert len(await asyncio.gather(*(add_item(served) for _ in range(FIRST // 2)))) == FIRST // 2
    finally:
        probe.cancel()
        with suppress(asyncio.CancelledError):
            await probe


async def test_a_crowd_that_is_not_heard_for_a_while_is_told_when_to_come_back_all_the_same(served: Running) -> None:
    async def at_once(_: object) -> object:
        return Answer(EMPTY)

    served.use_cases.behaviours["add_item"] = at_once
    # Begun together, far more are there than have been heard.
    answers = await asyncio.gather(*(add_item(served) for _ in range(UNHEARD)), return_exceptions=True)
    refused = [answer for answer in answers if isinstance(answer, grpc.aio.AioRpcError)]
    assert {answer.code() for answer in refused} <= {grpc.StatusCode.UNAVAILABLE}


async def test_a_server_whose_turns_are_long_hears_several_calls_in_each() -> None:
    # In a process of its own: grpc makes one socket for all servers and channels of a process, with the first of them.
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.entrypoints.grpc.long_turns", str(LATE)), stdout=asyncio.subprocess.PIPE
    )
    told, _ = await asyncio.wait_for(process.communicate(), 120)
    assert process.returncode == 0
    # grpc by itself takes four turns for each call that it hears, and four more for each once its socket is full.
    assert 0 < int(told.splitlines()[-1]) < 2 * LATE


async def test_a_server_is_heard_at_its_own_address_by_itself(served: Running) -> None:
    myself = SelfCall(served.server.private_address)
    try:
        async with asyncio.timeout(5), myself():
            pass
    finally:
        await myself.close()


def test_calls_that_are_not_heard_in_time_make_every_lane_narrower() -> None:
    now = 0.0
    lanes = Lanes(400, lambda: now)
    for moment in (0.0, STANDING_SECONDS):
        now = moment
        lanes.call_waited(2 * BUYING_SECONDS)
        lanes.connection_waited(0.0)
        lanes.stock_waited(0.0)
        lanes.catalog_waited(0.0)
    assert [lane.limit for lane in (lanes.buying, lanes.browsing, lanes.general)] == [FIRST // 2] * 3
