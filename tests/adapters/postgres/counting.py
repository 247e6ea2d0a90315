"""A shop of few rows and one of many, in which the statements of a call are counted."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import pytest

from kapda.domain.orders.order import Order
from kapda.domain.shared.ids import VariantId
from tests.shop.buyer import Buyer, new_buyer
from tests.shop.shop import Shop
from tests.shop.statements import Statements

FEW, MANY = 1, 50


@dataclass(frozen=True, slots=True)
class Rows:
    """A shop in which everything that can be many is `count`: lines of a cart and an order, orders, movements, products."""

    shop: Shop
    count: int
    buyer: Buyer
    variants: list[VariantId]

    async def counted(self, call: Callable[[], Awaitable[object]]) -> int:
        """The number of statements of the call."""
        statements = Statements()
        async with statements.of(self.shop.container):
            await call()
        # For whoever reads a failure.
        print(*(f"{number}: {text[:120]}" for number, text in enumerate(statements, start=1)), sep="\n")  # noqa: T201
        return len(statements)


@pytest.fixture(scope="module", params=[FEW, MANY], ids=["few", "many"])
async def rows(request: pytest.FixtureRequest, shop: Shop) -> Rows:
    """Few, and then many."""
    count: int = request.param
    # One process, so that each call is where it is listened to.
    alone = Shop(shop.containers[:1], shop.http, shop.catalogue)
    variants = await alone.variants(count, pieces=1_000)
    return Rows(alone, count, await new_buyer(alone), variants)


async def full_cart(rows: Rows) -> Buyer:
    """A new customer with every variant in the cart, put there at once: one by one takes longer than the test."""
    buyer = await new_buyer(rows.shop)
    await buyer.add(rows.variants[0])
    await rows.shop.sql(
        """INSERT INTO cart_lines (cart_id, variant_id, quantity, unit_price_minor, currency, created_at, updated_at)
           SELECT c.id, v.id, 1, v.price_minor, v.currency, now(), now() FROM carts c, variants v
           WHERE c.customer_id = :customer AND v.id = ANY(:variants) ON CONFLICT DO NOTHING""",
        customer=buyer.id,
        variants=rows.variants,
    )
    assert len((await buyer.cart()).lines) == rows.count
    return buyer


async def big_order(rows: Rows) -> tuple[Buyer, Order]:
    """An order of all of it, and who has it."""
    buyer = await full_cart(rows)
    checkout = await buyer.check_out()
    return buyer, (await buyer.place(checkout, await buyer.pay(checkout))).value
