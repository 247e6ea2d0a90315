"""What payments need from outside: the gateway, and rows for what it says."""

from collections.abc import AsyncGenerator, Sequence
from datetime import datetime
from typing import Protocol
from uuid import UUID

from kapda.domain.payments.gateway import (
    GatewayOrder,
    GatewayOrderRequest,
    GatewayPayment,
    GatewayRefund,
    GatewayRefundRequest,
)
from kapda.domain.payments.gateway_event import GatewayEvent, ReceivedEvent
from kapda.domain.payments.payment import Payment
from kapda.domain.payments.payment_case import PaymentCase
from kapda.domain.payments.refund import Refund
from kapda.domain.shared.ids import CaseId, PaymentId, RefundId, UserId
from kapda.domain.shared.jobs import Jobs
from kapda.domain.shared.money import Money
from kapda.domain.shared.pages import Page, PageRequest
from kapda.domain.shared.unit_of_work import UnitOfWork


class PaymentGateway(Protocol):
    """Razorpay, or something that behaves like it. Never called while a transaction is open.

    Every call may raise GatewayUnknownError (no answer that can be trusted; for a call that acts, it may have acted), as
    GatewayNotAskedError where it was not made, and GatewayRefusedError (a definite no; nothing was done). Amounts are
    checked to be whole minor units.
    """

    async def create_order(self, request: GatewayOrderRequest) -> GatewayOrder:
        """Open an order for exactly that amount. There is no idempotency key: after an unknown outcome use find_order."""
        ...

    async def find_order(self, receipt: str) -> GatewayOrder | None:
        """The newest order with that receipt. The gateway's lists may lag behind by minutes, so None is not proof."""
        ...

    async def fetch_order(self, order_id: str) -> GatewayOrder | None:
        """The order, or None where the gateway says there is none."""
        ...

    async def fetch_payment(self, payment_id: str) -> GatewayPayment | None:
        """The payment as it is now, or None where the gateway says there is none."""
        ...

    async def payments_of_order(self, order_id: str) -> tuple[GatewayPayment, ...]:
        """Every attempt to pay the order, failed ones included."""
        ...

    async def capture(self, payment_id: str, amount: Money) -> GatewayPayment:
        """Take the authorised money, all of it. A payment captured already is answered as it is, not refused."""
        ...

    async def refund(self, request: GatewayRefundRequest) -> GatewayRefund:
        """Send money back, once a reference: the same request again is answered with the same refund."""
        ...

    async def fetch_refund(self, refund_id: str) -> GatewayRefund | None:
        """The refund as it is now, or None where the gateway says there is none."""
        ...

    async def refunds_of_payment(self, payment_id: str) -> tuple[GatewayRefund, ...]:
        """Every refund of the payment, whoever made it."""
        ...

    def payments_since(self, since: datetime, until: datetime) -> AsyncGenerator[tuple[GatewayPayment, ...], None]:
        """Every payment on the account made in that time, ours or not, newest first, some at a time.

        A second before and after may be in it. The gateway's list may lag by minutes.
        """
        ...


class CheckoutSignatures(Protocol):
    """The proof the gateway's page hands to the browser."""

    def is_valid(self, gateway_order_id: str, gateway_payment_id: str, signature: str) -> bool:
        """Whether the signature pairs this order with this payment. Proves neither capture nor amount."""
        ...


class WebhookSignatures(Protocol):
    """The proof that a delivery is the gateway's."""

    def is_valid(self, body: bytes, signature: str) -> bool:
        """Whether the signature fits these raw bytes under one of the live secrets, in constant time."""
        ...


class Payments(Protocol):
    """Captured money."""

    async def add(self, payment: Payment) -> None:
        """Keep a captured payment. Raises AbortedError (CONCURRENT_UPDATE) when the gateway's payment is there already."""
        ...

    async def lock(self, payment_id: PaymentId) -> Payment | None:
        """The payment, locked until the end of the transaction."""
        ...

    async def by_gateway_id(self, gateway_payment_id: str) -> Payment | None:
        """The payment, with the order it paid."""
        ...

    async def get(self, payment_id: PaymentId, customer_id: UserId | None) -> Payment | None:
        """The payment of one of this customer's checkouts; None for the customer sees everybody's."""
        ...

    async def reserve_refund(self, payment_id: PaymentId, amount: Money) -> bool:
        """Promise that much of the payment back; False, and nothing done, where less is left."""
        ...

    async def release_refund(self, payment_id: PaymentId, amount: Money) -> None:
        """Take a promise back that will not be kept by way of the gateway."""
        ...

    async def note_refunded(self, payment_id: PaymentId, amount: Money) -> None:
        """That much of what was promised has gone; a payment of which all has gone is REFUNDED."""
        ...

    async def note_returned(self, payment_id: PaymentId, amount: Money) -> None:
        """That much of what had gone came back to the gateway, still promised; the payment is CAPTURED again."""
        ...

    async def known(self, gateway_payment_ids: Sequence[str]) -> frozenset[str]:
        """Which of these are kept already, as payments of ours or as foreign ones."""
        ...

    async def note_foreign(self, payment: GatewayPayment, at: datetime) -> None:
        """Remember a payment that is not for one of our checkouts; a second time changes nothing."""
        ...


class AccountReadings(Protocol):
    """How far the account's payments have been read through at the gateway."""

    async def through(self) -> datetime | None:
        """Until when every payment has been looked at for good; None before the first reading."""
        ...

    async def note(self, through: datetime) -> datetime:
        """It has been read through until then; the time that counts from now on.

        An earlier time than is known changes nothing; one that is still to come, by the one clock that all workers share,
        counts as now: a worker whose own clock runs ahead has not read what comes.
        """
        ...


class Refunds(Protocol):
    """Refunds, ours and those adopted from the gateway."""

    async def add(self, refund: Refund, next_look_at: datetime) -> None:
        """Keep a new refund, due at `next_look_at`."""
        ...

    async def get(self, refund_id: RefundId) -> Refund | None:
        """The refund as it is."""
        ...

    async def lock(self, refund_id: RefundId) -> Refund | None:
        """The same, locked until the end of the transaction."""
        ...

    async def find_by_gateway_id(self, gateway_refund_id: str) -> RefundId | None:
        """Which refund the gateway knows under that id."""
        ...

    async def save(self, refund: Refund, at: datetime) -> None:
        """Write state and gateway id; one that has ended is not due any more, one that is under way again is due `at`."""
        ...

    async def postpone(self, refund_id: RefundId, attempts: int, next_look_at: datetime) -> None:
        """Leave a refund under way for later."""
        ...

    async def of_payment(self, payment_id: PaymentId) -> tuple[Refund, ...]:
        """The payment's refunds, oldest first."""
        ...

    async def due(self, at: datetime, limit: int) -> tuple[RefundId, ...]:
        """Refunds under way that should be looked at now, longest due first."""
        ...


class Cases(Protocol):
    """The orphan desk's rows. One case a payment for money without an order, one a refund for refunds gone wrong."""

    async def add(self, case: PaymentCase) -> None:
        """Keep a new case."""
        ...

    async def of_payment(self, gateway_payment_id: str) -> PaymentCase | None:
        """The case of the payment's own money, in whatever state."""
        ...

    async def of_refund(self, refund_id: RefundId) -> PaymentCase | None:
        """The case of that refund, in whatever state."""
        ...

    async def find(self, case_id: CaseId) -> PaymentCase | None:
        """The case as it is."""
        ...

    async def lock(self, case_id: CaseId) -> PaymentCase | None:
        """The same, locked until the end of the transaction."""
        ...

    async def save(self, case: PaymentCase) -> None:
        """Write how the case ended."""
        ...

    async def open_cases(self, page: PageRequest) -> Page[PaymentCase]:
        """Oldest first. The cursor is (opened_at as ISO 8601, id)."""
        ...


class GatewayEvents(Protocol):
    """The inbox of webhook deliveries."""

    async def store(self, new_id: UUID, event: ReceivedEvent, at: datetime) -> GatewayEvent:
        """Keep the event as due now; where its id or its fact is known already, the row that has it."""
        ...

    async def get(self, event: UUID) -> GatewayEvent | None:
        """The event as it is."""
        ...

    async def finish(self, event: UUID, outcome: str, at: datetime) -> None:
        """Mark a pending event as processed with what came of it; a finished one stays as it is."""
        ...

    async def postpone(self, event: UUID, attempts: int, next_attempt_at: datetime) -> None:
        """Leave a pending event for later."""
        ...

    async def due(self, at: datetime, limit: int) -> tuple[UUID, ...]:
        """Pending events whose time has come, longest due first."""
        ...


class UnannouncedPayments(Protocol):
    """What tells that the gateway's webhooks have stopped."""

    async def waiting_since(self, earliest: datetime) -> datetime | None:
        """When the first payment was recorded that no delivery named and after which none has come at all; those recorded
        before `earliest` aside. None where a delivery has come since, or no payment has."""
        ...


class WebhookUnitOfWork(UnitOfWork, Protocol):
    """What taking in a delivery needs."""

    @property
    def gateway_events(self) -> GatewayEvents: ...

    @property
    def jobs(self) -> Jobs: ...


class PaymentsUnitOfWork(UnitOfWork, Protocol):
    """What reading payments needs."""

    @property
    def payments(self) -> Payments: ...

    @property
    def cases(self) -> Cases: ...
