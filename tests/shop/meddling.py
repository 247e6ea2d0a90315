"""The real gateway with somebody in the line: calls wait, fail, or are answered and the answer is lost."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TypeVar

from dependency_injector import providers

from kapda.domain.payments.gateway import (
    GatewayOrder,
    GatewayOrderRequest,
    GatewayPayment,
    GatewayRefund,
    GatewayRefundRequest,
)
from kapda.domain.payments.ports import PaymentGateway
from kapda.domain.shared.money import Money
from kapda.entrypoints.container import Container

T = TypeVar("T")
Hook = Callable[[], Awaitable[object]]


@dataclass
class MeddledGateway:
    """PaymentGateway. `before` and `after` hold what happens to the next calls of a name, one hook a call."""

    real: PaymentGateway
    before: dict[str, list[Hook]] = field(default_factory=dict)
    after: dict[str, list[Hook]] = field(default_factory=dict)
    calls: list[str] = field(default_factory=list)
    _called: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def create_order(self, request: GatewayOrderRequest) -> GatewayOrder:
        return await self._call("create_order", lambda: self.real.create_order(request))

    async def find_order(self, receipt: str) -> GatewayOrder | None:
        return await self._call("find_order", lambda: self.real.find_order(receipt))

    async def fetch_order(self, order_id: str) -> GatewayOrder | None:
        return await self._call("fetch_order", lambda: self.real.fetch_order(order_id))

    async def refund(self, request: GatewayRefundRequest) -> GatewayRefund:
        return await self._call("refund", lambda: self.real.refund(request))

    async def refunds_of_payment(self, payment_id: str) -> tuple[GatewayRefund, ...]:
        return await self._call("refunds_of_payment", lambda: self.real.refunds_of_payment(payment_id))

    async def fetch_payment(self, payment_id: str) -> GatewayPayment | None:
        return await self._call("fetch_payment", lambda: self.real.fetch_payment(payment_id))

    async def payments_of_order(self, order_id: str) -> tuple[GatewayPayment, ...]:
        return await self._call("payments_of_order", lambda: self.real.payments_of_order(order_id))

    async def capture(self, payment_id: str, amount: Money) -> GatewayPayment:
        return await self._call("capture", lambda: self.real.capture(payment_id, amount))

    async def has_been_called(self, times: int) -> None:
        """Wait until so many calls have begun."""
        async with self._called:
            await self._called.wait_for(lambda: len(self.calls) >= times)

    async def _call(self, name: str, call: Callable[[], Awaitable[T]]) -> T:
        async with self._called:
            self.calls.append(name)
            self._called.notify_all()
        if hooks := self.before.get(name):
            await hooks.pop(0)()
        answer = await call()
        if hooks := self.after.get(name):
            await hooks.pop(0)()
        return answer


@asynccontextmanager
async def meddling(container: Container) -> AsyncIterator[MeddledGateway]:
    """Stand in the line of one process until the block ends."""
    meddled = MeddledGateway(container.gateway())
    container.gateway.override(providers.Object(meddled))
    try:
        yield meddled
    finally:
        container.gateway.reset_last_overriding()


def failing(error: Exception) -> Hook:
    """A hook that raises."""

    async def fail() -> None:
        raise error

    return fail
