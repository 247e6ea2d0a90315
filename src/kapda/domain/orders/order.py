"""An order: a sale whose money is in, frozen as it was made."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import Enum, unique

from kapda.domain.catalog.gst import split_inclusive
from kapda.domain.checkout.checkout import Checkout, CheckoutLine
from kapda.domain.orders.commission import earnings
from kapda.domain.shared import money
from kapda.domain.shared.address import Address
from kapda.domain.shared.errors import FailedPreconditionError, Precondition, Reason
from kapda.domain.shared.ids import CheckoutId, DesignerId, OrderId, PaymentId, ProductId, UserId, VariantId
from kapda.domain.shared.money import Money


@unique
class OrderState(Enum):
    """PLACED: paid, and waiting to be sent. CANCELLED: called off before it was sent; stock and money go back."""

    PLACED = "placed"
    CANCELLED = "cancelled"


@unique
class OrderVerb(Enum):
    """What can be done to an order."""

    CANCEL = "cancel"


TRANSITIONS: Mapping[tuple[OrderState, OrderVerb], OrderState] = {
    (OrderState.PLACED, OrderVerb.CANCEL): OrderState.CANCELLED,
}


@dataclass(frozen=True, slots=True)
class OrderLine:
    """One variant sold. Everything an invoice or a statement will need is here, however the catalogue changes.

    `line_total` includes tax: `taxable` + `gst`. The designer's side of it: `commission` + `commission_gst` +
    `designer_net`.
    """

    position: int
    variant_id: VariantId
    product_id: ProductId
    designer_id: DesignerId
    sku: str
    title: str
    options: Mapping[str, str]
    quantity: int
    unit_price: Money
    hsn_code: str
    gst_basis_points: int
    taxable: Money
    gst: Money
    designer_gstin: str
    commission_basis_points: int
    commission: Money
    commission_gst: Money
    designer_net: Money

    @property
    def line_total(self) -> Money:
        """What the customer paid for the line."""
        return self.unit_price * self.quantity


@dataclass(frozen=True, slots=True)
class HistoryEntry:
    """One step of an order's life."""

    state: OrderState
    at: datetime
    reason: str
    actor: str


@dataclass(frozen=True, slots=True)
class Order:
    """See the module's text. `number` is the one people use."""

    id: OrderId
    number: str
    checkout_id: CheckoutId
    payment_id: PaymentId
    customer_id: UserId
    state: OrderState
    lines: tuple[OrderLine, ...]
    shipping: Money
    address: Address
    history: tuple[HistoryEntry, ...]
    version: int
    placed_at: datetime

    @property
    def items_total(self) -> Money:
        """The lines without shipping."""
        return money.total(line.line_total for line in self.lines)

    @property
    def total(self) -> Money:
        """What was paid."""
        return self.items_total + self.shipping

    @property
    def etag(self) -> str:
        """Changes with every step of the order."""
        return f"v{self.version}"

    def after(self, verb: OrderVerb, *, at: datetime, reason: str, actor: str) -> "Order":
        """The order once `verb` is done, its history one step longer. Raises FailedPreconditionError
        (ORDER_STATE_INVALID)."""
        target = TRANSITIONS.get((self.state, verb))
        if target is None:
            raise _invalid_state(self, verb)
        step = HistoryEntry(target, at, reason, actor)
        return replace(self, state=target, history=(*self.history, step), version=self.version + 1)


def _invalid_state(order: Order, verb: OrderVerb) -> FailedPreconditionError:
    message = f"order {order.number} is {order.state.value}: cannot {verb.value}"
    return FailedPreconditionError(
        Reason.ORDER_STATE_INVALID,
        message,
        metadata={"order_id": str(order.id), "state": order.state.value, "verb": verb.value},
        preconditions=(Precondition(Reason.ORDER_STATE_INVALID.value, f"orders/{order.id}", message),),
    )


@dataclass(frozen=True, slots=True)
class OrderSummary:
    """An order in a list."""

    id: OrderId
    number: str
    state: OrderState
    total: Money
    item_count: int
    first_title: str
    placed_at: datetime


def place(
    checkout: Checkout, *, order_id: OrderId, number: str, payment_id: PaymentId, actor: str, at: datetime
) -> Order:
    """The order that a paid checkout becomes."""
    return Order(
        id=order_id,
        number=number,
        checkout_id=checkout.id,
        payment_id=payment_id,
        customer_id=checkout.customer_id,
        state=OrderState.PLACED,
        lines=tuple(_sold(line) for line in checkout.lines),
        shipping=checkout.shipping,
        address=checkout.address,
        history=(HistoryEntry(OrderState.PLACED, at, "payment captured", actor),),
        version=1,
        placed_at=at,
    )


def _sold(line: CheckoutLine) -> OrderLine:
    tax = split_inclusive(line.line_total, line.gst_basis_points)
    shares = earnings(line.line_total, line.commission_basis_points)
    return OrderLine(
        position=line.position,
        variant_id=line.variant_id,
        product_id=line.product_id,
        designer_id=line.designer_id,
        sku=line.sku,
        title=line.title,
        options=line.options,
        quantity=line.quantity,
        unit_price=line.unit_price,
        hsn_code=line.hsn_code,
        gst_basis_points=line.gst_basis_points,
        taxable=tax.taxable,
        gst=tax.gst,
        designer_gstin=line.designer_gstin,
        commission_basis_points=line.commission_basis_points,
        commission=shares.commission,
        commission_gst=shares.commission_gst,
        designer_net=shares.designer_net,
    )
