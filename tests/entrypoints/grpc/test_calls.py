"""What surrounds a call that is served: its id, its line in the log, its answer given again, its size of crowd."""

import asyncio
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import grpc
import pytest
import structlog
from google.rpc import error_details_pb2 as details
from grpc_health.v1 import health_pb2
from grpc_health.v1.health_pb2_grpc import HealthStub
from grpc_reflection.v1alpha import reflection_pb2
from grpc_reflection.v1alpha.reflection_pb2_grpc import ServerReflectionStub

from kapda.api.cart.v1 import cart_service_pb2 as pb
from kapda.api.cart.v1.cart_service_pb2_grpc import CartServiceStub
from kapda.domain.cart.cart import Cart
from kapda.domain.shared.errors import Reason, UnavailableError
from kapda.domain.shared.ids import CartId, UserId
from kapda.domain.shared.request_log import Answer
from tests.entrypoints.grpc.conftest import CUSTOMER, PRINCIPALS, Running, Start, as_caller, refusal

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
EMPTY = Cart(CartId(UUID(int=9)), UserId(UUID(int=1)), (), 3, NOW, NOW)


def add_item(served: Running, **metadata: str) -> grpc.aio.UnaryUnaryCall[pb.AddItemRequest, pb.AddItemResponse]:
    """A well-formed call of a customer."""
    request = pb.AddItemRequest(request_id=str(uuid4()), variant_id=str(uuid4()), quantity=1)
    pairs = [*as_caller(CUSTOMER), *((key.replace("_", "-"), value) for key, value in metadata.items())]
    return CartServiceStub(served.channel).AddItem(request, metadata=pairs)


def answer_with(served: Running, answer: Answer[Cart]) -> None:
    """Let AddItem answer so."""

    async def add(_: object) -> Answer[Cart]:
        return answer

    served.use_cases.behaviours["add_item"] = add


async def health_of(served: Running, name: str = "") -> int:
    """What health says of a service."""
    stub: Any = HealthStub(served.channel)
    answer: health_pb2.HealthCheckResponse = await stub.Check(health_pb2.HealthCheckRequest(service=name))
    return answer.status


async def reflected(served: Running) -> set[str]:
    """The services that reflection lists."""
    channel: Any = served.channel
    stub: Any = ServerReflectionStub(channel)
    asked = reflection_pb2.ServerReflectionRequest(list_services="")
    return {
        service.name
        async for listed in stub.ServerReflectionInfo(iter([asked]))
        for service in listed.list_services_response.service
    }


async def test_the_callers_request_id_comes_back_and_stands_in_the_log(served: Running) -> None:
    answer_with(served, Answer(EMPTY))
    with structlog.testing.capture_logs() as lines:
        call = add_item(served, x_request_id="checkout-2026-01-02")
        await call
        trailing = dict(await call.trailing_metadata())
    assert trailing["x-request-id"] == "checkout-2026-01-02"
    assert "idempotent-replayed" not in trailing
    (line,) = [line for line in lines if line["event"] == "call"]
    assert line.pop("duration_ms") > 0
    assert line == {
        "event": "call",
        "log_level": "info",
        "method": "/kapda.api.cart.v1.CartService/AddItem",
        "request_id": "checkout-2026-01-02",
        "principal_id": str(PRINCIPALS[CUSTOMER].user_id),
        "code": "OK",
        "reason": None,
        "replayed": False,
    }


@pytest.mark.parametrize("bad", ["short", "x" * 65, "with space in it", 'quote"quote"'])
async def test_a_request_id_unfit_for_a_log_is_replaced(served: Running, bad: str) -> None:
    answer_with(served, Answer(EMPTY))
    call = add_item(served, x_request_id=bad)
    await call
    assert str(UUID(str(dict(await call.trailing_metadata())["x-request-id"])))


async def test_an_answer_given_again_says_so(served: Running) -> None:
    answer_with(served, Answer(EMPTY, replayed=True))
    call = add_item(served)
    await call
    assert dict(await call.trailing_metadata())["idempotent-replayed"] == "true"


async def test_a_refused_call_has_its_line_too(served: Running) -> None:
    async def fail(_: object) -> Answer[Cart]:
        raise UnavailableError(Reason.DATABASE_UNAVAILABLE, "no")

    served.use_cases.behaviours["add_item"] = fail
    with structlog.testing.capture_logs() as lines:
        await refusal(add_item(served))
    (line,) = [line for line in lines if line["event"] == "call"]
    assert (line["code"], line["reason"]) == ("UNAVAILABLE", "DATABASE_UNAVAILABLE")


async def test_no_token_and_no_body_ever_reaches_the_log(served: Running) -> None:
    answer_with(served, Answer(EMPTY))
    request = pb.AddItemRequest(request_id=str(uuid4()), variant_id=str(uuid4()), quantity=7)
    with structlog.testing.capture_logs() as lines:
        await CartServiceStub(served.channel).AddItem(request, metadata=as_caller(CUSTOMER))
    assert CUSTOMER not in repr(lines)
    assert request.variant_id not in repr(lines)


async def test_a_log_that_cannot_be_written_fails_no_call(served: Running) -> None:
    def full_disk(*_: object) -> str:
        raise OSError("no space left on device")

    answer_with(served, Answer(EMPTY))
    before = structlog.get_config()["processors"]
    structlog.configure(processors=[full_disk])
    try:
        assert (await add_item(served)).cart.etag == "v3"
    finally:
        structlog.configure(processors=before)


async def test_a_call_too_many_is_refused_at_once_while_health_answers(start: Start) -> None:
    served = await start(max_concurrent_calls=2)
    gate, inside = asyncio.Event(), asyncio.Semaphore(0)

    async def wait(_: object) -> Answer[Cart]:
        inside.release()
        await gate.wait()
        return Answer(EMPTY)

    served.use_cases.behaviours["add_item"] = wait
    at_work = [add_item(served), add_item(served)]
    tasks = [asyncio.ensure_future(call) for call in at_work]
    await inside.acquire()
    await inside.acquire()

    refused = await refusal(add_item(served))
    assert refused.code is grpc.StatusCode.UNAVAILABLE
    assert refused.info.reason == "OVERLOADED"
    assert refused.detail(details.RetryInfo).retry_delay.ToMilliseconds() == 1000
    assert await health_of(served) == health_pb2.HealthCheckResponse.SERVING

    gate.set()
    await asyncio.gather(*tasks)
    assert (await add_item(served)).cart.etag == "v3"


async def test_health_knows_every_service_and_reflection_lists_them(served: Running) -> None:
    for name in ("", "kapda.api.cart.v1.CartService", "kapda.api.orders.v1.OrderService"):
        assert await health_of(served, name) == health_pb2.HealthCheckResponse.SERVING
    assert {"kapda.api.cart.v1.CartService", "grpc.health.v1.Health"} <= await reflected(served)


async def test_reflection_can_be_left_out(start: Start) -> None:
    served = await start(reflection=False)
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await reflected(served)
    assert caught.value.code() is grpc.StatusCode.UNIMPLEMENTED


async def test_an_unknown_method_is_unimplemented(served: Running) -> None:
    raw: grpc.aio.UnaryUnaryMultiCallable[bytes, bytes] = served.channel.unary_unary(
        "/kapda.api.cart.v1.CartService/StealItem"
    )
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await raw(b"")
    assert caught.value.code() is grpc.StatusCode.UNIMPLEMENTED


async def test_a_second_server_on_the_port_is_refused_not_given_half_of_the_calls(start: Start) -> None:
    served = await start()
    with pytest.raises(RuntimeError):
        await start(address=f"127.0.0.1:{served.port}")


async def test_a_watcher_of_health_hears_of_the_drain_and_does_not_hold_it_up(start: Start) -> None:
    served = await start(grace=30.0)
    stub: Any = HealthStub(served.channel)
    watch = stub.Watch(health_pb2.HealthCheckRequest())
    assert (await watch.read()).status == health_pb2.HealthCheckResponse.SERVING
    async with asyncio.timeout(5):
        await served.server.drain()
    assert (await watch.read()).status == health_pb2.HealthCheckResponse.NOT_SERVING


async def test_calls_at_work_are_answered_by_a_draining_server_and_new_ones_are_not(start: Start) -> None:
    served = await start()
    begun, gate = asyncio.Event(), asyncio.Event()

    async def wait(_: object) -> Answer[Cart]:
        begun.set()
        await gate.wait()
        return Answer(EMPTY)

    served.use_cases.behaviours["add_item"] = wait
    at_work = asyncio.ensure_future(add_item(served))
    await begun.wait()
    drain = asyncio.create_task(served.server.drain())
    await asyncio.sleep(0.05)
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await add_item(served)
    assert caught.value.code() is grpc.StatusCode.UNAVAILABLE
    gate.set()
    assert (await at_work).cart.etag == "v3"
    await drain
