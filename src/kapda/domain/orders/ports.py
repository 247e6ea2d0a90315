"""What orders need from outside."""

from collections.abc import Collection
from typing import Protocol

from kapda.domain.cart.ports import Carts
from kapda.domain.checkout.ports import Checkouts
from kapda.domain.inventory.ports import Stock
from kapda.domain.ledger.ports import Ledger
from kapda.domain.orders.order import Order, OrderSummary
from kapda.domain.orders.reversal import Returned, Reversal
from kapda.domain.payments.payment import Payment
from kapda.domain.payments.ports import AccountReadings, Cases, GatewayEvents, Payments, Refunds
from kapda.domain.shared.events import Outbox
from kapda.domain.shared.ids import CheckoutId, OrderId, RefundId, UserId
from kapda.domain.shared.jobs import Jobs
from kapda.domain.shared.mails import Mails
from kapda.domain.shared.pages import Page, PageRequest
from kapda.domain.shared.request_log import RequestLog
from kapda.domain.shared.request_proof import Nonces
from kapda.domain.shared.unit_of_work import UnitOfWork


class Orders(Protocol):
    """Orders. `customer_id` is the owner who asks; None is the system itself. Another's order does not exist."""

    async def next_number(self) -> str:
        """The next order number, such as K100001; a rollback leaves a gap."""
        ...

    async def payment_or_number(self, gateway_payment_id: str) -> Payment | str:
        """The payment of that id at the gateway, where it is known; otherwise the next order number, for the order that it
        may pay. One step, because nearly every payment is new. A number that is not used leaves a gap."""
        ...

    async def add(self, order: Order) -> None:
        """Keep a new order with its lines and history; one a checkout and one a payment for good."""
        ...

    async def get(self, order_id: OrderId, customer_id: UserId | None) -> Order | None:
        """The order in full."""
        ...

    async def find_all(self, order_ids: Collection[OrderId]) -> Collection[Order]:
        """Those of the orders that there are, whosever they are, in full; many at the cost of one."""
        ...

    async def lock(self, order_id: OrderId, customer_id: UserId | None) -> Order | None:
        """The same, locked until the end of the transaction."""
        ...

    async def save(self, order: Order) -> None:
        """Write the state, the version and the last step of the history."""
        ...

    async def returned(self, order_id: OrderId) -> Returned:
        """What refunds have taken out of the order so far."""
        ...

    async def add_reversal(self, order_id: OrderId, refund_id: RefundId, reversal: Reversal) -> None:
        """Keep what the refund takes out of the order."""
        ...

    async def of_checkout(self, checkout_id: CheckoutId) -> Order | None:
        """The order that the checkout became."""
        ...

    async def list(self, customer_id: UserId, page: PageRequest) -> Page[OrderSummary]:
        """The customer's orders, newest first. The cursor is (order id,)."""
        ...


class OrderUnitOfWork(UnitOfWork, Protocol):
    """What finishing a payment needs: everything an order touches, in one transaction."""

    @property
    def requests(self) -> RequestLog: ...

    @property
    def nonces(self) -> Nonces: ...

    @property
    def carts(self) -> Carts: ...

    @property
    def checkouts(self) -> Checkouts: ...

    @property
    def payments(self) -> Payments: ...

    @property
    def refunds(self) -> Refunds: ...

    @property
    def cases(self) -> Cases: ...

    @property
    def account_readings(self) -> AccountReadings: ...

    @property
    def gateway_events(self) -> GatewayEvents: ...

    @property
    def orders(self) -> Orders: ...

    @property
    def ledger(self) -> Ledger: ...

    @property
    def outbox(self) -> Outbox: ...

    @property
    def stock(self) -> Stock: ...

    @property
    def jobs(self) -> Jobs: ...

    @property
    def mails(self) -> Mails: ...
