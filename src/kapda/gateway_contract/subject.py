"""What is checked: one account behind the port and behind plain HTTP."""

import asyncio
import secrets
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Protocol, TypeVar

import httpx

from kapda.domain.payments.gateway import GatewayOrder, GatewayOrderRequest
from kapda.domain.payments.ports import CheckoutSignatures, PaymentGateway, WebhookSignatures
from kapda.domain.shared.money import INR, Money
from kapda.gateway_contract.check import expect

Json = dict[str, Any]
T = TypeVar("T")

PRICE: Final = Money(100, INR)
"""The least an order may be, so that the least is at stake where somebody pays one by mistake."""

CAPTURE_MINUTES: Final = 12
_POLL_SECONDS: Final = 5.0


class Customer(Protocol):
    """Somebody who pays at the gateway's page, which no API does."""

    async def pay(self, order_id: str, outcome: str) -> Json:
        """Pay with `success`, `authorize_only` or `failure`; what the browser is handed."""

    async def authorize_late(self, payment_id: str) -> None:
        """Let the bank say yes to a payment that failed."""


@dataclass(frozen=True, slots=True)
class Vectors:
    """Signature checkers that know one secret of the suite's own, and an older one for webhooks."""

    checkout: CheckoutSignatures
    webhook: WebhookSignatures


@dataclass(slots=True, kw_only=True)
class Subject:
    """An account. `patience` is for how many seconds its lists may lag behind; without a customer nobody pays."""

    gateway: PaymentGateway
    http: httpx.AsyncClient
    checkout_signatures: CheckoutSignatures
    vectors: Vectors
    customer: Customer | None = None
    patience: float = 0.0
    _run: str = field(default_factory=lambda: secrets.token_hex(6))
    _receipts: int = 0

    @property
    def payer(self) -> Customer:
        """The customer, where there is one."""
        expect(self.customer is not None, "somebody must be able to pay")
        assert self.customer is not None  # noqa: S101  (said to the type checker)
        return self.customer

    def new_receipt(self) -> str:
        """A receipt nobody has used."""
        self._receipts += 1
        return f"kapda-verify-{self._run}-{self._receipts}"

    def request(self, amount: Money = PRICE, receipt: str | None = None) -> GatewayOrderRequest:
        """A good request for an order."""
        name = receipt or self.new_receipt()
        return GatewayOrderRequest(
            receipt=name, amount=amount, notes={"kapda": "verify-gateway"}, capture_minutes=CAPTURE_MINUTES
        )

    async def order(self) -> GatewayOrder:
        """A new order."""
        return await self.gateway.create_order(self.request())

    async def paid(self, outcome: str = "success") -> tuple[GatewayOrder, Json, str]:
        """A new order that was paid: the order, what the browser got, the payment's id."""
        order = await self.order()
        answer = await self.payer.pay(order.id, outcome)
        payment_id = answer.get("razorpay_payment_id") or answer["error"]["metadata"]["payment_id"]
        return order, answer, payment_id

    async def get(self, path: str, **query: str | int) -> Json:
        """Fetch over plain HTTP; a success is expected."""
        return _success(await self.http.get(f"/v1{path}", params=query))

    async def post(self, path: str, body: Mapping[str, object], **headers: str) -> Json:
        """Post over plain HTTP; a success is expected."""
        return _success(await self.http.post(f"/v1{path}", json=body, headers=headers))

    async def refused(self, method: str, path: str, body: object = None, **headers: str) -> tuple[int, Json]:
        """Call over plain HTTP; a refusal in Razorpay's envelope is expected."""
        response = await self.http.request(method, f"/v1{path}", json=body, headers=headers)
        expect(response.is_error, f"{method} {path} is refused, not {response.status_code}")
        error: Json = response.json()["error"]
        return response.status_code, error

    async def eventually(self, look: Callable[[], Awaitable[T | None]]) -> T | None:
        """What `look` finds, asked again while the account's lists may lag."""
        left = self.patience
        while (found := await look()) is None and left > 0:
            await asyncio.sleep(min(_POLL_SECONDS, left))
            left -= _POLL_SECONDS
        return found


def _success(response: httpx.Response) -> Json:
    expect(response.is_success, f"a success, not {response.status_code}: {response.text[:200]}")
    found: Json = response.json()
    return found
