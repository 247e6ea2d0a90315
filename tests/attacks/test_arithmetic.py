"""Numbers at the end of their range: sums of money, and counters of pieces. None is a fault of ours, and none runs over."""

from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy.exc import IntegrityError

from kapda.domain.cart.cart import MAX_LINES
from kapda.domain.shared.ids import VariantId
from kapda.domain.shared.money import MAX_AMOUNT_MINOR
from tests.attacks.cast import come_back, sign_up
from tests.attacks.contract import method_named
from tests.attacks.stage import Stage
from tests.shop.desk import check_books, send_due

DEAREST = 10**10
MOST_PIECES = 1_000
LAST_COUNT = 2**31 - 1


async def newcomer(stage: Stage) -> str:
    """A customer with an empty cart."""
    await sign_up(stage, "ravi")
    await come_back(stage, "ravi")
    return "ravi"


async def refused(stage: Stage, method: str, caller: str, **fields: Any) -> tuple[str, str, list[str]]:
    """Code, reason and fields of a refusal that leaves everything as it was."""
    refusal = await stage.refused(method, caller, **fields)
    return refusal.code.name, refusal.reason, refusal.fields


async def dearest(stage: Stage, count: int) -> list[VariantId]:
    """Variants at the highest price there can be, as many pieces of each as a line can hold."""
    made = await stage.shop.variants(count, pieces=MOST_PIECES, rupees=DEAREST // 100, limit=MOST_PIECES)
    assert await stage.shop.count("variants WHERE price_minor = :price", price=DEAREST) >= count
    return made


async def test_the_fullest_cart_of_the_dearest_pieces_is_added_up_and_checked_out(stage: Stage) -> None:
    caller = await newcomer(stage)
    for variant in await dearest(stage, MAX_LINES):
        await stage.ask("AddItem", caller, request_id=str(uuid4()), variant_id=str(variant), quantity=MOST_PIECES)
    cart: Any = await stage.ask("GetCart", caller)
    assert cart.cart.total.amount_minor == DEAREST * MOST_PIECES * MAX_LINES < MAX_AMOUNT_MINOR
    checkout = await stage.buyer(caller).check_out()
    assert checkout.total.amount_minor == cart.cart.total.amount_minor


async def test_the_dearest_order_is_placed_refunded_piece_by_piece_and_the_books_balance(stage: Stage) -> None:
    caller = await newcomer(stage)
    (variant,) = await dearest(stage, 1)
    order = await stage.buyer(caller).buys(variant, 3)
    assert order.total.amount_minor == 3 * DEAREST
    for _ in range(3):
        lines = [{"position": 1, "quantity": 1}]
        await stage.ask(
            "RefundOrder", "admin", request_id=str(uuid4()), order_id=str(order.id), lines=lines, reason="torn"
        )
    one_more = {"order_id": str(order.id), "lines": [{"position": 1, "quantity": 1}], "reason": "torn"}
    code, reason, _ = await refused(stage, "RefundOrder", "admin", request_id=str(uuid4()), **one_more)
    assert (code, reason) == ("FAILED_PRECONDITION", "REFUND_EXCEEDS_ORDER")
    await stage.shop.door().sweep_recent_payments().execute()
    await send_due(stage.shop)
    await check_books(stage.shop)


async def test_no_price_is_so_high_that_a_cart_could_not_be_added_up(stage: Stage) -> None:
    for table, column in (("variants", "price_minor"), ("products", "max_price_minor")):
        with pytest.raises(IntegrityError, match=f"{table}_price_within_cap"):
            await stage.shop.sql(f"UPDATE {table} SET {column} = :price", price=DEAREST + 1)  # noqa: S608
    assert DEAREST * MOST_PIECES * MAX_LINES < MAX_AMOUNT_MINOR


async def shelf(stage: Stage, pieces: int) -> str:
    """A variant with so many pieces, as if they had all been counted."""
    variant = await stage.shop.variant(pieces=1)
    await stage.shop.sql("UPDATE stock SET on_hand = :pieces WHERE variant_id = :id", pieces=pieces, id=variant)
    await stage.shop.sql(
        "UPDATE stock_movements SET on_hand_delta = :pieces WHERE variant_id = :id", pieces=pieces, id=variant
    )
    return str(variant)


async def test_a_counter_of_pieces_does_not_run_over(stage: Stage) -> None:
    variant = await shelf(stage, LAST_COUNT - 50_000)
    many: dict[str, Any] = {"variant_id": variant, "reason": "a delivery"}
    assert await refused(stage, "ReceiveStock", "admin", request_id=str(uuid4()), quantity=100_000, **many) == (
        "INVALID_ARGUMENT",
        "VALIDATION_FAILED",
        ["quantity"],
    )
    level: Any = await stage.ask("GetStock", "admin", variant_id=variant)
    code, _, _ = await refused(
        stage, "AdjustStock", "admin", request_id=str(uuid4()), delta=100_000, etag=level.stock.etag, **many
    )
    assert code == "INVALID_ARGUMENT"
    lines = [{"variant_id": variant, "quantity": 100_000}]
    code, _, _ = await refused(
        stage, "BatchReceiveStock", "admin", request_id=str(uuid4()), reason="a delivery", lines=lines
    )
    assert code == "INVALID_ARGUMENT"
    taken: Any = await stage.ask("ReceiveStock", "admin", request_id=str(uuid4()), quantity=50_000, **many)
    assert taken.stock.on_hand == LAST_COUNT
    assert (await refused(stage, "ReceiveStock", "admin", request_id=str(uuid4()), quantity=1, **many))[0] == (
        "INVALID_ARGUMENT"
    )


async def test_pieces_are_held_sold_and_come_back_at_the_end_of_the_counter(stage: Stage) -> None:
    variant = VariantId(UUID(await shelf(stage, LAST_COUNT)))
    caller = await newcomer(stage)
    order = await stage.buyer(caller).buys(variant, 2)
    assert await stage.shop.level(variant) == (LAST_COUNT - 2, 0)
    await stage.ask("CancelOrder", caller, request_id=str(uuid4()), order_id=str(order.id), reason="too many")
    assert await stage.shop.level(variant) == (LAST_COUNT, 0)


@pytest.mark.parametrize("quantity", [0, -1, -(2**31), 1_001, 2**31 - 1])
async def test_no_quantity_out_of_range_reaches_a_counter(stage: Stage, quantity: int) -> None:
    variant = stage.known.of("admin", "variant_id")[0]
    for method, caller, fields in (
        ("AddItem", "asha", {}),
        ("ChangeItem", "asha", {}),
        ("ReceiveStock", "admin", {"reason": "x"}),
    ):
        if "quantity" in method_named(method).request.fields_by_name and not (
            method == "ReceiveStock" and 0 < quantity <= 100_000
        ):
            asked = {"variant_id": variant, "quantity": quantity, **fields}
            told = await refused(stage, method, caller, request_id=str(uuid4()), **asked)
            assert told == ("INVALID_ARGUMENT", "VALIDATION_FAILED", ["quantity"])


@pytest.mark.parametrize("currency", ["USD", "inr", "INRR", "IN", "", "₹₹₹", "XXX", "INR ", "ＩＮＲ"])
async def test_a_total_in_another_currency_is_refused_by_its_field(stage: Stage, currency: str) -> None:
    address = {"name": "A", "phone": "+919876543210", "line1": "1", "city": "Pune", "state_code": "MH"}
    code, reason, fields = await refused(
        stage,
        "StartCheckout",
        "asha",
        request_id=str(uuid4()),
        address={**address, "pin_code": "411004"},
        expected_total={"currency_code": currency, "amount_minor": 1},
    )
    assert (code, reason) == ("INVALID_ARGUMENT", "VALIDATION_FAILED")
    assert fields
    assert {field.partition(".")[0] for field in fields} == {"expected_total"}
