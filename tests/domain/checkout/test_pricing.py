"""What a cart costs at the door, and to what the customer has agreed."""

from dataclasses import replace
from datetime import date

import pytest

from kapda.domain.cart.cart import Cart, CartLine
from kapda.domain.checkout.checkout import CheckoutState
from kapda.domain.checkout.policy import CAPTURE_WINDOW, HOLD_SLACK, PAY_WINDOW, ShippingPolicy
from kapda.domain.checkout.pricing import PricedCart, price
from kapda.domain.shared.errors import FailedPreconditionError, Reason
from kapda.domain.shared.ids import CheckoutId
from kapda.domain.shared.money import Money
from tests.fakes.samples import ASHA, HOME, NOON, cart_line, cart_of, rupees

TODAY = date(2026, 3, 14)
FREE = ShippingPolicy(Money.zero())
KURTA = cart_line(1, quantity=2)
SAREE = replace(cart_line(2, price=rupees(8_500)), title="Chanderi saree")


def priced(cart: Cart, expected: Money, shipping: ShippingPolicy = FREE) -> PricedCart:
    return price(cart, HOME, shipping, expected, TODAY)


def refused(cart: Cart, expected: Money, shipping: ShippingPolicy = FREE) -> FailedPreconditionError:
    with pytest.raises(FailedPreconditionError) as error:
        priced(cart, expected, shipping)
    return error.value


def test_a_cart_is_priced_at_live_prices_with_what_the_sale_will_freeze() -> None:
    cart = priced(cart_of(KURTA, SAREE), rupees(11_498))
    assert cart.total == rupees(11_498)
    assert [(line.position, line.title, line.quantity, line.unit_price) for line in cart.lines] == [
        (1, "Handblock kurta", 2, rupees(1_499)),
        (2, "Chanderi saree", 1, rupees(8_500)),
    ]
    assert [line.gst_basis_points for line in cart.lines] == [500, 1_800]
    assert {(line.hsn_code, line.designer_gstin, line.commission_basis_points) for line in cart.lines} == {
        ("621142", "27AAPFU0939F1ZV", 1_500)
    }


def test_an_empty_cart_is_refused() -> None:
    assert refused(cart_of(), rupees(1)).reason is Reason.CART_EMPTY


@pytest.mark.parametrize(
    ("blocked", "kind", "possible"),
    [
        (replace(KURTA, available=1), "INSUFFICIENT_STOCK", "1 of 2 possible"),
        (replace(KURTA, on_sale=False), "UNAVAILABLE", "0 of 2 possible"),
        (replace(KURTA, max_quantity=1), "QUANTITY_LIMIT", "1 of 2 possible"),
    ],
)
def test_a_line_that_cannot_be_bought_is_refused_with_what_is_possible(
    blocked: CartLine, kind: str, possible: str
) -> None:
    refusal = refused(cart_of(SAREE, blocked), rupees(99_999))
    assert refusal.reason is Reason.CART_CHANGED
    (precondition,) = refusal.preconditions
    assert (precondition.type, precondition.subject) == (kind, f"variants/{blocked.variant_id}")
    assert precondition.description.startswith(possible)


def test_every_obstacle_is_told_at_once_and_prices_are_left_out() -> None:
    gone = replace(KURTA, available=0, unit_price=rupees(1_600))
    withdrawn = replace(SAREE, on_sale=False)
    refusal = refused(cart_of(gone, withdrawn), rupees(99_999))
    assert [precondition.type for precondition in refusal.preconditions] == ["INSUFFICIENT_STOCK", "UNAVAILABLE"]
    assert refusal.metadata == {"lines": "2"}


def test_a_price_that_fell_is_passed_on() -> None:
    cheaper = replace(KURTA, unit_price=rupees(1_299))
    assert priced(cart_of(cheaper), rupees(2_998)).total == rupees(2_598)


def test_a_price_that_rose_is_refused_with_both_sides_until_the_customer_agrees() -> None:
    dearer = replace(KURTA, unit_price=rupees(1_600))
    refusal = refused(cart_of(dearer), rupees(2_998))
    assert refusal.reason is Reason.PRICE_CHANGED
    assert refusal.metadata == {
        "total_minor": "320000",
        "expected_total_minor": "299800",
        "shipping_minor": "0",
        "currency_code": "INR",
    }
    (precondition,) = refusal.preconditions
    assert precondition.type == "PRICE_RAISED"
    assert "INR 1,499.00 then, INR 1,600.00 now" in precondition.description
    assert priced(cart_of(dearer), rupees(3_200)).total == rupees(3_200)


def test_one_paisa_too_few_is_not_agreed_to() -> None:
    assert refused(cart_of(KURTA), rupees(2_998) - Money(1, "INR")).reason is Reason.PRICE_CHANGED


def test_delivery_is_part_of_what_is_agreed_to() -> None:
    charged = ShippingPolicy(rupees(99))
    refusal = refused(cart_of(KURTA), rupees(2_998), charged)
    assert (refusal.reason, refusal.metadata["shipping_minor"]) == (Reason.PRICE_CHANGED, "9900")
    assert priced(cart_of(KURTA), rupees(3_097), charged).total == rupees(3_097)


def test_delivery_is_free_from_the_threshold_of_the_lines_alone() -> None:
    policy = ShippingPolicy(rupees(99), free_from=rupees(2_998))
    assert priced(cart_of(KURTA), rupees(2_998), policy).shipping == Money.zero()
    assert priced(cart_of(cart_line()), rupees(1_598), policy).shipping == rupees(99)


def test_a_price_between_two_tax_rates_is_refused() -> None:
    torn = cart_line(price=rupees(2_800))
    assert refused(cart_of(torn), rupees(2_800)).reason is Reason.PRICE_WITHOUT_GST_RATE


def test_the_tax_rate_is_that_of_the_day() -> None:
    before_the_reform = price(cart_of(cart_line(price=rupees(1_200))), HOME, FREE, rupees(1_200), date(2025, 9, 21))
    after_it = price(cart_of(cart_line(price=rupees(1_200))), HOME, FREE, rupees(1_200), date(2025, 9, 22))
    assert [cart.lines[0].gst_basis_points for cart in (before_the_reform, after_it)] == [1_200, 500]


def test_the_digest_is_that_of_lines_prices_charge_and_address() -> None:
    content = priced(cart_of(KURTA, SAREE), rupees(11_498))
    same = priced(cart_of(replace(KURTA, price_when_added=rupees(1_600), available=3), SAREE), rupees(20_000))
    assert same.content_digest == content.content_digest
    others = [
        priced(cart_of(KURTA), rupees(20_000)),
        priced(cart_of(SAREE, KURTA), rupees(20_000)),
        priced(cart_of(replace(KURTA, quantity=1), SAREE), rupees(20_000)),
        priced(cart_of(replace(KURTA, unit_price=rupees(1_498)), SAREE), rupees(20_000)),
        priced(cart_of(KURTA, SAREE), rupees(20_000), ShippingPolicy(rupees(99))),
        replace(content, address=replace(HOME, line1="15 Prabhat Road")),
    ]
    digests = {content.content_digest, *(other.content_digest for other in others)}
    assert len(digests) == 1 + len(others)


def test_the_checkout_of_a_priced_cart_has_its_times_from_now() -> None:
    content = priced(cart_of(KURTA), rupees(2_998), ShippingPolicy(Money.zero()))
    checkout = content.checkout(CheckoutId(ASHA), ASHA, NOON)
    assert (checkout.state, checkout.gateway_order_id, checkout.order_id) == (CheckoutState.OPENING, None, None)
    assert (checkout.created_at, checkout.pay_before) == (NOON, NOON + PAY_WINDOW)
    assert checkout.hold_until == NOON + PAY_WINDOW + CAPTURE_WINDOW + HOLD_SLACK
    assert (checkout.total, checkout.content_digest) == (content.total, content.content_digest)
    assert (checkout.cart_id, checkout.customer_id) == (content.cart.id, ASHA)
