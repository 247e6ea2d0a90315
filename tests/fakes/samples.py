"""Believable things for tests: a house's clothes, an address, and the checkouts and payments made of them."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

from kapda.domain.cart.cart import Cart, CartLine, SaleTerms
from kapda.domain.checkout.checkout import Checkout, CheckoutLine, CheckoutState
from kapda.domain.payments.gateway import GatewayPayment, GatewayPaymentState
from kapda.domain.payments.payment import Payment, PaymentState
from kapda.domain.shared.address import Address
from kapda.domain.shared.ids import CartId, CheckoutId, DesignerId, PaymentId, ProductId, UserId, VariantId
from kapda.domain.shared.money import INR, Money

NOON = datetime(2026, 3, 14, 6, 30, tzinfo=UTC)
ASHA = UserId(UUID(int=0xA5A))
BINOD = UserId(UUID(int=0xB1D))
RANGREZ = DesignerId(UUID(int=0xD1))
TERMS = SaleTerms(hsn_code="621142", designer_gstin="27AAPFU0939F1ZV", commission_basis_points=1_500)
HOME = Address(
    name="Asha Kulkarni",
    phone="+919820012345",
    line1="14 Prabhat Road",
    line2="Deccan Gymkhana",
    city="Pune",
    state_code="MH",
    pin_code="411004",
)
GATEWAY_ORDER = "order_KapdaSample001"


def rupees(amount: int) -> Money:
    """So many whole rupees."""
    return Money(100 * amount, INR)


def cart_line(number: int = 1, *, price: Money | None = None, quantity: int = 1) -> CartLine:
    """A kurta in the cart, ten in stock, at the price it was added at."""
    unit_price = price or rupees(1_499)
    return CartLine(
        variant_id=VariantId(UUID(int=0x1000 + number)),
        product_id=ProductId(UUID(int=0x2000 + number)),
        designer_id=RANGREZ,
        sku=f"RNG-KURTA-{number:03}",
        title="Handblock kurta",
        options={"colour": "Indigo", "size": "M"},
        quantity=quantity,
        price_when_added=unit_price,
        unit_price=unit_price,
        available=10,
        on_sale=True,
        max_quantity=5,
        terms=TERMS,
    )


def cart_of(*lines: CartLine) -> Cart:
    """Asha's cart."""
    return Cart(CartId(UUID(int=0xCA)), ASHA, lines, 1, NOON, NOON + timedelta(days=30))


def checkout_line(
    position: int = 1, *, price: Money | None = None, quantity: int = 1, commission_basis_points: int = 1_500
) -> CheckoutLine:
    """A kurta at its fixed price."""
    return CheckoutLine(
        position=position,
        variant_id=VariantId(UUID(int=0x1000 + position)),
        product_id=ProductId(UUID(int=0x2000 + position)),
        designer_id=RANGREZ,
        sku=f"RNG-KURTA-{position:03}",
        title="Handblock kurta",
        options={"colour": "Indigo", "size": "M"},
        quantity=quantity,
        unit_price=price or rupees(1_499),
        hsn_code="621142",
        gst_basis_points=500,
        designer_gstin="27AAPFU0939F1ZV",
        commission_basis_points=commission_basis_points,
    )


def checkout_in(state: CheckoutState, *lines: CheckoutLine, shipping: Money | None = None) -> Checkout:
    """Asha's checkout of one kurta, or of other lines; its gateway order is known unless it is opening or failed."""
    unopened = state in (CheckoutState.OPENING, CheckoutState.FAILED)
    return Checkout(
        id=CheckoutId(UUID(int=0xC0)),
        cart_id=CartId(UUID(int=0xCA)),
        customer_id=ASHA,
        state=state,
        content_digest=b"content",
        lines=lines or (checkout_line(),),
        shipping=shipping or Money.zero(),
        address=HOME,
        gateway_order_id=None if unopened else GATEWAY_ORDER,
        created_at=NOON,
        pay_before=NOON + timedelta(minutes=15),
        hold_until=NOON + timedelta(minutes=30),
    )


def payment_of(checkout: Checkout, state: GatewayPaymentState = GatewayPaymentState.CAPTURED) -> GatewayPayment:
    """A payment of the whole checkout under its own gateway order."""
    return GatewayPayment(
        id="pay_KapdaSample0001",
        order_id=checkout.gateway_order_id,
        state=state,
        amount=checkout.total,
        captured=state in (GatewayPaymentState.CAPTURED, GatewayPaymentState.REFUNDED),
        amount_refunded=checkout.total if state is GatewayPaymentState.REFUNDED else Money.zero(),
        method="upi",
        created_at=NOON + timedelta(minutes=2),
    )


def refunded_by_gateway(payment: GatewayPayment) -> GatewayPayment:
    """Authorised once and given back without ever having been captured."""
    return replace(payment, state=GatewayPaymentState.REFUNDED, captured=False, amount_refunded=payment.amount)


def kept_payment(checkout: Checkout, number: int = 1) -> Payment:
    """What we keep of a captured payment of the whole checkout."""
    return Payment(
        id=PaymentId(UUID(int=0xFA00 + number)),
        checkout_id=checkout.id,
        gateway_payment_id=f"pay_KapdaSample{number:04}",
        gateway_order_id=GATEWAY_ORDER,
        state=PaymentState.CAPTURED,
        amount=checkout.total,
        method="upi",
        captured_at=NOON,
        refund_reserved=Money.zero(),
        refunded=Money.zero(),
        order_id=None,
    )
