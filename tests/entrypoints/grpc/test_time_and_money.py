"""Deadlines, and money phases that outlive their callers."""

import asyncio
from typing import Any, cast
from uuid import uuid4

import grpc
import pytest
import structlog

from kapda.api.catalog.v1 import catalog_service_pb2
from kapda.api.catalog.v1.catalog_service_pb2_grpc import CatalogServiceStub
from kapda.api.orders.v1 import order_service_pb2 as pb
from kapda.api.orders.v1.order_service_pb2_grpc import OrderServiceStub
from kapda.domain.shared.errors import FailedPreconditionError, Reason, UnavailableError
from kapda.entrypoints.grpc.call import Context
from kapda.entrypoints.grpc.deadlines import MINIMUM_SECONDS
from kapda.entrypoints.grpc.interceptors.deadlines import Deadlines
from kapda.entrypoints.grpc.serve import serve
from kapda.entrypoints.grpc.services import SERVICES
from kapda.entrypoints.supervisor import DeadlineExceededError, Supervisor
from tests.entrypoints.grpc.conftest import CUSTOMER, Running, Start, as_caller, refusal

PLACE_ORDER = pb.PlaceOrderRequest(
    request_id=str(uuid4()),
    checkout_id=str(uuid4()),
    razorpay_payment_id="pay_1",
    razorpay_order_id="order_1",
    razorpay_signature="0" * 64,
)
NOT_CAPTURED = FailedPreconditionError(Reason.PAYMENT_NOT_CAPTURED, "not yet")


class Phase:
    """A money phase that says when it has begun and goes on when it is told to."""

    def __init__(self) -> None:
        self.begun, self.go_on, self.ended = asyncio.Event(), asyncio.Event(), False

    async def __call__(self, _: object = None) -> Any:
        self.begun.set()
        await self.go_on.wait()
        self.ended = True
        raise NOT_CAPTURED


class LateContext:
    """What grpc tells of a call whose deadline has passed."""

    def time_remaining(self) -> float:
        """Never negative."""
        return 0.0


def place_order(served: Running, timeout: float | None = None) -> grpc.aio.UnaryUnaryCall[Any, Any]:
    """A well-formed call."""
    return OrderServiceStub(served.channel).PlaceOrder(PLACE_ORDER, metadata=as_caller(CUSTOMER), timeout=timeout)


async def sleep_forever(_: object) -> Any:
    """A use case that never ends."""
    await asyncio.Event().wait()


async def test_a_call_without_a_deadline_ends_at_the_servers_own(start: Start) -> None:
    served = await start(deadline_cap=0.05)
    served.use_cases.behaviours["get_product"] = sleep_forever
    request = catalog_service_pb2.GetProductRequest(product_id=str(uuid4()))
    refused = await refusal(CatalogServiceStub(served.channel).GetProduct(request))
    assert refused.code is grpc.StatusCode.DEADLINE_EXCEEDED
    assert refused.info.reason == "DEADLINE_EXCEEDED"


async def test_a_timeout_of_somebody_else_within_is_an_internal_error(served: Running) -> None:
    async def time_out(_: object) -> Any:
        raise TimeoutError

    served.use_cases.behaviours["get_product"] = time_out
    request = catalog_service_pb2.GetProductRequest(product_id=str(uuid4()))
    refused = await refusal(CatalogServiceStub(served.channel).GetProduct(request))
    assert refused.code is grpc.StatusCode.INTERNAL


async def test_a_deadline_too_short_for_money_is_refused_before_anything_begins(served: Running) -> None:
    refused = await refusal(place_order(served, timeout=1.0))
    assert refused.code is grpc.StatusCode.INVALID_ARGUMENT
    assert refused.info.reason == "DEADLINE_TOO_SHORT"
    assert refused.info.metadata["minimum_seconds"] == "2"
    assert served.use_cases.commands == []


@pytest.mark.parametrize("method", ["/kapda.api.cart.v1.CartService/GetCart", *MINIMUM_SECONDS])
async def test_a_call_whose_deadline_passed_while_it_waited_is_not_begun(method: str) -> None:
    begun: list[bytes] = []
    context = cast(Context, LateContext())

    async def proceed(request: bytes, _: object) -> bytes:
        begun.append(request)
        return b""

    with pytest.raises(DeadlineExceededError):
        await Deadlines().around(method, b"", context, proceed)
    assert begun == []


def test_minimum_deadlines_are_for_methods_that_exist() -> None:
    paths = {
        f"/{service.descriptor.full_name}/{method.name}"
        for service in SERVICES
        for method in service.descriptor.methods
    }
    assert set(MINIMUM_SECONDS) <= paths


async def test_a_cancelled_call_leaves_its_money_phase_running_to_its_end(served: Running) -> None:
    phase = Phase()
    served.use_cases.behaviours["place_order"] = phase
    call = place_order(served)
    await asyncio.wait_for(phase.begun.wait(), 5)
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    phase.go_on.set()
    await served.supervisor.drain(5)
    assert phase.ended


async def test_a_client_whose_deadline_passes_leaves_its_money_phase_running(start: Start) -> None:
    served = await start(deadline_minimums={})
    phase = Phase()
    served.use_cases.behaviours["place_order"] = phase
    refused = await refusal_without_details(place_order(served, timeout=0.2))
    assert refused is grpc.StatusCode.DEADLINE_EXCEEDED
    assert phase.begun.is_set()
    assert not phase.ended
    phase.go_on.set()
    await served.supervisor.drain(5)
    assert phase.ended


async def refusal_without_details(call: grpc.aio.UnaryUnaryCall[Any, Any]) -> grpc.StatusCode:
    """The code of an error that the client's own library made."""
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await call
    return caught.value.code()


async def test_the_drain_waits_for_money_before_it_returns(start: Start) -> None:
    served = await start(grace=0.05)
    phase = Phase()
    served.use_cases.behaviours["place_order"] = phase
    call = asyncio.ensure_future(place_order(served))
    await asyncio.wait_for(phase.begun.wait(), 5)
    asyncio.get_running_loop().call_later(0.08, phase.go_on.set)
    await served.server.drain()
    assert phase.ended
    with pytest.raises(grpc.aio.AioRpcError):
        await call


async def test_serve_drains_before_it_closes_the_pools(served: Running) -> None:
    order: list[str] = []

    class Server:
        async def start(self) -> int:
            order.append("start")
            return 0

        async def drain(self) -> None:
            order.append("drain")

    async def close() -> None:
        order.append("close")

    stop = asyncio.Event()
    stop.set()
    await serve(Server(), stop, close)
    assert order == ["start", "drain", "close"]


class TestSupervisor:
    """The supervisor alone."""

    async def test_a_waiter_gets_the_phases_result(self) -> None:
        async def phase() -> int:
            return 7

        assert await Supervisor().run("phase", phase) == 7

    async def test_a_phase_too_many_is_refused_and_its_place_is_free_only_when_the_phase_ends(self) -> None:
        supervisor, phase = Supervisor(limit=1), Phase()
        waiter = asyncio.create_task(supervisor.run("first", phase))
        await phase.begun.wait()
        waiter.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiter
        with pytest.raises(UnavailableError) as caught:
            await supervisor.run("second", Phase())
        assert caught.value.reason is Reason.OVERLOADED
        phase.go_on.set()
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        with pytest.raises(FailedPreconditionError):
            await supervisor.run("third", phase)

    async def test_a_phase_that_hangs_ends_at_its_own_deadline(self) -> None:
        with pytest.raises(DeadlineExceededError):
            await Supervisor(seconds=0.02).run("hangs", Phase())

    async def test_nothing_begins_during_the_drain_and_what_is_late_is_cut_off(self) -> None:
        supervisor, phase = Supervisor(), Phase()
        waiter = asyncio.create_task(supervisor.run("late", phase))
        await phase.begun.wait()
        await supervisor.drain(0.02)
        with pytest.raises(asyncio.CancelledError):
            await waiter
        assert not phase.ended
        with pytest.raises(UnavailableError) as caught:
            await supervisor.run("more", Phase())
        assert caught.value.reason is Reason.DRAINING

    async def test_a_phase_that_fails_after_its_waiter_went_is_logged_without_its_text(self) -> None:
        async def fail() -> None:
            await asyncio.sleep(0.01)
            raise RuntimeError("hunter2")

        supervisor = Supervisor()
        waiter = asyncio.create_task(supervisor.run("fails", fail))
        await asyncio.sleep(0)
        waiter.cancel()
        with structlog.testing.capture_logs() as lines:
            await supervisor.drain(5)
            await asyncio.sleep(0)
        assert lines == [{"event": "phase failed", "log_level": "error", "phase": "fails", "type": "RuntimeError"}]
