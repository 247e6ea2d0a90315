"""From a cart to a checkout: what it costs now, and whether the customer agreed to that."""

from dataclasses import dataclass
from datetime import date, datetime

from kapda.domain.cart.cart import BLOCKING, Cart, CartChange, CartLine
from kapda.domain.catalog.gst import gst_rate_for
from kapda.domain.checkout.checkout import Checkout, CheckoutLine, CheckoutState
from kapda.domain.checkout.policy import CAPTURE_WINDOW, HOLD_SLACK, PAY_WINDOW, ShippingPolicy
from kapda.domain.shared import money
from kapda.domain.shared.address import Address
from kapda.domain.shared.errors import FailedPreconditionError, Precondition, Reason
from kapda.domain.shared.fingerprint import fingerprint
from kapda.domain.shared.ids import CheckoutId, UserId
from kapda.domain.shared.money import Money


@dataclass(frozen=True, slots=True)
class PricedCart:
    """A cart's content at the prices of this moment."""

    cart: Cart
    lines: tuple[CheckoutLine, ...]
    shipping: Money
    address: Address

    @property
    def total(self) -> Money:
        """What the customer would pay."""
        return money.total(line.line_total for line in self.lines) + self.shipping

    @property
    def content_digest(self) -> bytes:
        """The same for the same lines, prices, charge and address."""
        return fingerprint(
            tuple((line.variant_id, line.quantity, line.unit_price) for line in self.lines), self.shipping, self.address
        )

    def checkout(self, checkout_id: CheckoutId, customer_id: UserId, now: datetime) -> Checkout:
        """A new checkout of this content."""
        pay_before = now + PAY_WINDOW
        return Checkout(
            id=checkout_id,
            cart_id=self.cart.id,
            customer_id=customer_id,
            state=CheckoutState.OPENING,
            content_digest=self.content_digest,
            lines=self.lines,
            shipping=self.shipping,
            address=self.address,
            gateway_order_id=None,
            created_at=now,
            pay_before=pay_before,
            hold_until=pay_before + CAPTURE_WINDOW + HOLD_SLACK,
        )


def price(cart: Cart, address: Address, shipping: ShippingPolicy, expected_total: Money, on: date) -> PricedCart:
    """The cart at live prices, if all of it can be bought and it costs no more than the customer agreed to.

    A price that fell is passed on. Raises FailedPreconditionError: CART_EMPTY; CART_CHANGED with every obstacle;
    PRICE_CHANGED with every price that moved; PRICE_WITHOUT_GST_RATE.
    """
    if not cart.lines:
        raise FailedPreconditionError(Reason.CART_EMPTY, "the cart is empty")
    changes = cart.changes()
    obstacles = [change for change in changes if change.kind in BLOCKING]
    if obstacles:
        raise FailedPreconditionError(
            Reason.CART_CHANGED,
            f"{len(obstacles)} line(s) of the cart cannot be bought as they stand",
            metadata={"lines": str(len(obstacles))},
            preconditions=tuple(_as_precondition(change) for change in obstacles),
        )
    lines = tuple(_fixed(position, line, on) for position, line in enumerate(cart.lines, start=1))
    items_total = money.total(line.line_total for line in lines)
    priced = PricedCart(cart, lines, shipping.charge_for(items_total), address)
    if expected_total < priced.total:
        raise FailedPreconditionError(
            Reason.PRICE_CHANGED,
            f"the total is {priced.total}, not {expected_total}",
            metadata={
                "total_minor": str(priced.total.amount_minor),
                "expected_total_minor": str(expected_total.amount_minor),
                "shipping_minor": str(priced.shipping.amount_minor),
                "currency_code": priced.total.currency,
            },
            preconditions=tuple(_as_precondition(change) for change in changes),
        )
    return priced


def _as_precondition(change: CartChange) -> Precondition:
    return Precondition(
        change.kind.value.upper(),
        f"variants/{change.variant_id}",
        f"{change.quantity_possible} of {change.quantity} possible, {change.price_before} then, {change.price_now} now",
    )


def _fixed(position: int, line: CartLine, on: date) -> CheckoutLine:
    return CheckoutLine(
        position=position,
        variant_id=line.variant_id,
        product_id=line.product_id,
        designer_id=line.designer_id,
        sku=line.sku,
        title=line.title,
        options=line.options,
        quantity=line.quantity,
        unit_price=line.unit_price,
        hsn_code=line.terms.hsn_code,
        gst_basis_points=gst_rate_for(line.terms.hsn_code, line.unit_price, on),
        designer_gstin=line.terms.designer_gstin,
        commission_basis_points=line.terms.commission_basis_points,
    )
