"""What has moved since a line was made: every obstacle, then the price."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kapda.domain.cart.cart import BLOCKING, CartLine, ChangeKind, changes_of
from kapda.domain.shared.money import Money
from tests.fakes.samples import cart_line, cart_of, rupees

LINE = replace(cart_line(quantity=3), available=10, max_quantity=5)
C = ChangeKind


def kinds(line: CartLine) -> list[ChangeKind]:
    return [change.kind for change in changes_of(line)]


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({}, []),
        ({"available": 3}, []),
        ({"available": 2}, [C.INSUFFICIENT_STOCK]),
        ({"available": 0}, [C.INSUFFICIENT_STOCK]),
        ({"max_quantity": 3}, []),
        ({"max_quantity": 2}, [C.QUANTITY_LIMIT]),
        ({"max_quantity": 2, "available": 1}, [C.QUANTITY_LIMIT, C.INSUFFICIENT_STOCK]),
        ({"unit_price": rupees(1_500)}, [C.PRICE_RAISED]),
        ({"unit_price": rupees(1_498)}, [C.PRICE_DROPPED]),
        ({"available": 2, "unit_price": rupees(1_500)}, [C.INSUFFICIENT_STOCK, C.PRICE_RAISED]),
        (
            {"max_quantity": 2, "available": 1, "unit_price": rupees(1_498)},
            [C.QUANTITY_LIMIT, C.INSUFFICIENT_STOCK, C.PRICE_DROPPED],
        ),
        ({"on_sale": False}, [C.UNAVAILABLE]),
        ({"on_sale": False, "available": 0, "max_quantity": 1, "unit_price": rupees(9_999)}, [C.UNAVAILABLE]),
    ],
)
def test_a_line_tells_what_has_moved(changed: Mapping[str, Any], expected: list[ChangeKind]) -> None:
    assert kinds(replace(LINE, **changed)) == expected


def test_a_change_tells_both_sides() -> None:
    (raised,) = changes_of(replace(LINE, unit_price=rupees(1_600)))
    assert (raised.price_before, raised.price_now) == (rupees(1_499), rupees(1_600))
    assert (raised.quantity, raised.quantity_possible) == (3, 3)


@pytest.mark.parametrize(
    ("changed", "possible"),
    [({"available": 2}, 2), ({"available": 0}, 0), ({"max_quantity": 1}, 1), ({"on_sale": False}, 0)],
)
def test_an_obstacle_tells_how_many_are_still_possible(changed: Mapping[str, Any], possible: int) -> None:
    (change,) = changes_of(replace(LINE, **changed))
    assert change.quantity_possible == possible


@given(st.integers(1, 20), st.integers(0, 20), st.integers(1, 20), st.booleans(), st.integers(1, 20))
def test_a_line_is_purchasable_exactly_when_nothing_blocks_it(
    quantity: int, available: int, limit: int, on_sale: bool, price: int
) -> None:
    line = replace(
        LINE,
        quantity=quantity,
        available=available,
        max_quantity=limit,
        on_sale=on_sale,
        unit_price=Money(price, "INR"),
        price_when_added=Money(10, "INR"),
    )
    assert line.purchasable == BLOCKING.isdisjoint(kinds(line))


def test_a_price_is_a_matter_of_consent_and_blocks_nothing() -> None:
    assert BLOCKING.isdisjoint({C.PRICE_RAISED, C.PRICE_DROPPED})


def test_a_cart_adds_up_what_can_be_bought_at_live_prices() -> None:
    bought = replace(cart_line(1, quantity=2), unit_price=rupees(1_600))
    gone = replace(cart_line(2, quantity=3), available=0)
    cart = cart_of(bought, gone)
    assert cart.total == rupees(3_200)
    assert cart.item_count == 5
    assert [(change.variant_id, change.kind) for change in cart.changes()] == [
        (bought.variant_id, C.PRICE_RAISED),
        (gone.variant_id, C.INSUFFICIENT_STOCK),
    ]


def test_an_empty_cart_costs_nothing() -> None:
    assert cart_of().total == Money.zero()
    assert cart_of().changes() == ()
