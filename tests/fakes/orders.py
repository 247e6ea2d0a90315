"""Orders and the books in memory."""

import builtins
from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass, replace

from kapda.domain.ledger.entries import LedgerTransaction
from kapda.domain.orders.order import Order, OrderSummary
from kapda.domain.orders.reversal import Returned, Reversal
from kapda.domain.payments.payment import Payment
from kapda.domain.shared.ids import CheckoutId, OrderId, RefundId, UserId
from kapda.domain.shared.money import Money
from kapda.domain.shared.pages import Page, PageRequest
from tests.fakes.checkouts import lost_race
from tests.fakes.payments import InMemoryPayments
from tests.fakes.tables import Tables


@dataclass
class OrderNumbers:
    """The sequence behind order numbers."""

    last: int = 100_000


class AlreadyBookedError(Exception):
    """A second transaction of one kind for one reference."""


class InMemoryOrders:
    """Orders."""

    def __init__(self, tables: Tables, numbers: OrderNumbers) -> None:
        self._tables = tables
        self._numbers = numbers
        self._payments = InMemoryPayments(tables)

    async def next_number(self) -> str:
        self._numbers.last += 1
        return f"K{self._numbers.last}"

    async def payment_or_number(self, gateway_payment_id: str) -> Payment | str:
        return await self._payments.by_gateway_id(gateway_payment_id) or await self.next_number()

    async def add(self, order: Order) -> None:
        for other in self._tables.orders.values():
            if order.checkout_id == other.checkout_id or order.payment_id == other.payment_id:
                raise lost_race()
        self._tables.orders[order.id] = order

    async def get(self, order_id: OrderId, customer_id: UserId | None) -> Order | None:
        order = self._tables.orders.get(order_id)
        return order if order is not None and customer_id in (None, order.customer_id) else None

    async def find_all(self, order_ids: Collection[OrderId]) -> Collection[Order]:
        return [self._tables.orders[order_id] for order_id in order_ids if order_id in self._tables.orders]

    async def lock(self, order_id: OrderId, customer_id: UserId | None) -> Order | None:
        return await self.get(order_id, customer_id)

    async def save(self, order: Order) -> None:
        kept = self._tables.orders[order.id]
        history = (*kept.history, order.history[-1])
        self._tables.orders[order.id] = replace(kept, state=order.state, version=order.version, history=history)

    async def returned(self, order_id: OrderId) -> Returned:
        currency = self._tables.orders[order_id].total.currency
        pieces: Counter[int] = Counter()
        shipping = Money.zero(currency)
        for owner, reversal in self._tables.reversals.values():
            if owner == order_id:
                shipping += reversal.shipping
                for line in reversal.lines:
                    pieces[line.position] += line.quantity
        return Returned(dict(pieces), shipping)

    async def add_reversal(self, order_id: OrderId, refund_id: RefundId, reversal: Reversal) -> None:
        self._tables.reversals[refund_id] = (order_id, reversal)

    async def of_checkout(self, checkout_id: CheckoutId) -> Order | None:
        return next((order for order in self._tables.orders.values() if order.checkout_id == checkout_id), None)

    async def list(self, customer_id: UserId, page: PageRequest) -> Page[OrderSummary]:
        newest_first = sorted(self._tables.orders.values(), key=lambda order: order.id, reverse=True)
        rows: builtins.list[OrderSummary] = [
            OrderSummary(
                id=order.id,
                number=order.number,
                state=order.state,
                total=order.total,
                item_count=sum(line.quantity for line in order.lines),
                first_title=order.lines[0].title,
                placed_at=order.placed_at,
            )
            for order in newest_first
            if order.customer_id == customer_id and (page.cursor is None or str(order.id) < page.cursor[0])
        ]
        return Page.cut(rows, page, lambda order: (str(order.id),))


class InMemoryLedger:
    """Ledger."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    async def book(self, transaction: LedgerTransaction) -> None:
        booked = {(row.kind, row.reference_id) for row in self._tables.ledger}
        if (transaction.kind, transaction.reference_id) in booked:
            raise AlreadyBookedError(transaction.kind, transaction.reference_id)
        self._tables.ledger.append(transaction)
