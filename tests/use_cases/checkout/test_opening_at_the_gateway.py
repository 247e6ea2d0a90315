"""The one call that may end without an answer: crashes, twins, timeouts and refusals between hold and payment."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from kapda.domain.checkout.checkout import Checkout, CheckoutState
from kapda.domain.checkout.policy import GATEWAY_LEASE
from kapda.domain.checkout.use_cases.abandon_checkout import AbandonCheckoutCommand
from kapda.domain.checkout.use_cases.start_checkout import StartCheckoutCommand
from kapda.domain.inventory.stock import Shortage
from kapda.domain.payments.gateway import GatewayNotAskedError, GatewayOrder, GatewayUnknownError
from kapda.domain.shared.errors import Reason
from tests.fakes.database import InMemoryUnitOfWork
from tests.fakes.payment_gateway import (
    ACTED_BUT_UNKNOWN,
    DIED,
    DIED_AFTER_ACTING,
    UNKNOWN,
    Fault,
    ProcessDiedError,
)
from tests.fakes.payment_gateway import refused as refused_by_gateway
from tests.fakes.refusals import refused, refused_with_nothing_committed
from tests.fakes.samples import ASHA, HOME, rupees
from tests.fakes.shop import Shop
from tests.fakes.stock import InMemoryStock

ELSEWHERE = replace(HOME, line1="15 Prabhat Road")


@pytest.fixture
async def command(shop: Shop) -> StartCheckoutCommand:
    """One piece, the only one, in the cart."""
    await shop.add(shop.stock_variant(pieces=1))
    return StartCheckoutCommand(ASHA, shop.new_request(), HOME, rupees(1_499))


def the_checkout(shop: Shop) -> Checkout:
    (row,) = shop.tables.checkouts.values()
    return row.checkout


async def start(shop: Shop, command: StartCheckoutCommand) -> Checkout:
    return (await shop.start_checkout.execute(command)).value


async def test_a_process_that_died_before_the_call_is_taken_up_by_the_retry(
    shop: Shop, command: StartCheckoutCommand
) -> None:
    shop.gateway.will("create_order", DIED)
    with pytest.raises(ProcessDiedError):
        await start(shop, command)
    assert (the_checkout(shop).state, len(shop.gateway.orders)) == (CheckoutState.OPENING, 0)
    assert shop.level(the_checkout(shop).lines[0].variant_id) == (1, 1)
    shop.clock.advance(GATEWAY_LEASE)
    answer = await shop.start_checkout.execute(command)
    assert (answer.value.state, answer.replayed) == (CheckoutState.OPEN, True)
    assert shop.gateway.calls == ["create_order", "find_order", "create_order"]


async def test_a_process_that_died_after_the_call_left_an_order_that_the_retry_adopts(
    shop: Shop, command: StartCheckoutCommand
) -> None:
    shop.gateway.will("create_order", DIED_AFTER_ACTING)
    with pytest.raises(ProcessDiedError):
        await start(shop, command)
    shop.clock.advance(GATEWAY_LEASE)
    checkout = await start(shop, command)
    assert [order.id for order in shop.gateway.orders.values()] == [checkout.gateway_order_id]
    assert shop.gateway.calls == ["create_order", "find_order"]


async def test_the_answer_after_a_resumption_is_kept(shop: Shop, command: StartCheckoutCommand) -> None:
    shop.gateway.will("create_order", DIED)
    with pytest.raises(ProcessDiedError):
        await start(shop, command)
    shop.clock.advance(GATEWAY_LEASE)
    resumed = await shop.start_checkout.execute(command)
    calls = len(shop.gateway.calls)
    assert await shop.start_checkout.execute(command) == resumed
    assert len(shop.gateway.calls) == calls


async def test_a_call_that_acted_without_an_answer_is_found_by_its_receipt(
    shop: Shop, command: StartCheckoutCommand
) -> None:
    shop.gateway.will("create_order", ACTED_BUT_UNKNOWN)
    checkout = await start(shop, command)
    assert checkout.state is CheckoutState.OPEN
    assert len(shop.gateway.orders) == 1


@pytest.mark.parametrize("find_fault", [(), (UNKNOWN,)])
async def test_without_any_answer_the_caller_is_told_and_a_later_retry_resumes(
    shop: Shop, command: StartCheckoutCommand, find_fault: tuple[Fault, ...]
) -> None:
    shop.gateway.will("create_order", UNKNOWN)
    shop.gateway.will("find_order", *find_fault)
    with pytest.raises(GatewayUnknownError):
        await start(shop, command)
    assert the_checkout(shop).state is CheckoutState.OPENING
    shop.clock.advance(GATEWAY_LEASE)
    assert (await start(shop, command)).state is CheckoutState.OPEN
    assert len(shop.gateway.orders) == 1


async def test_where_the_gateway_was_not_asked_nothing_is_looked_for_and_the_retry_opens(
    shop: Shop, command: StartCheckoutCommand
) -> None:
    shop.gateway.will("create_order", Fault(GatewayNotAskedError("not sent")))
    with pytest.raises(GatewayNotAskedError):
        await start(shop, command)
    assert shop.gateway.calls == ["create_order"]
    assert (await start(shop, command)).state is CheckoutState.OPEN


async def test_an_order_of_that_receipt_for_another_amount_is_not_adopted(
    shop: Shop, command: StartCheckoutCommand
) -> None:
    shop.gateway.will("create_order", DIED)
    with pytest.raises(ProcessDiedError):
        await start(shop, command)
    shop.gateway.orders["order_Strange"] = GatewayOrder("order_Strange", str(the_checkout(shop).id), rupees(1))
    shop.clock.advance(GATEWAY_LEASE)
    checkout = await start(shop, command)
    assert checkout.gateway_order_id != "order_Strange"
    assert shop.gateway.orders[checkout.gateway_order_id or ""].amount == rupees(1_499)


async def test_a_twin_waits_for_the_first_and_is_answered_the_same(shop: Shop, command: StartCheckoutCommand) -> None:
    answered = asyncio.Event()
    shop.gateway.meanwhile["create_order"] = answered.wait
    first = asyncio.create_task(shop.start_checkout.execute(command))
    await asyncio.sleep(0)

    async def let_the_first_finish() -> None:
        answered.set()
        await first

    shop.sleeper.on_sleep = let_the_first_finish
    twin = await shop.start_checkout.execute(command)
    assert (twin.value, twin.replayed) == ((await first).value, True)
    assert (shop.sleeper.naps, shop.gateway.calls) == (1, ["create_order"])


async def test_a_twin_of_a_slow_first_is_told_to_come_back(shop: Shop, command: StartCheckoutCommand) -> None:
    shop.gateway.will("create_order", DIED)
    with pytest.raises(ProcessDiedError):
        await start(shop, command)
    with refused(Reason.REQUEST_IN_PROGRESS) as refusal:
        await start(shop, command)
    assert refusal.error.retry_after == pytest.approx(1)
    assert shop.gateway.calls == ["create_order"]


async def test_a_lease_that_runs_out_while_a_twin_waits_is_taken_over(
    shop: Shop, command: StartCheckoutCommand
) -> None:
    shop.gateway.will("create_order", DIED)
    with pytest.raises(ProcessDiedError):
        await start(shop, command)
    shop.clock.advance(GATEWAY_LEASE - timedelta(seconds=1))
    assert (await start(shop, command)).state is CheckoutState.OPEN
    assert 0 < shop.sleeper.naps <= 11


async def test_of_two_processes_that_opened_it_the_first_to_say_so_counts(
    shop: Shop, command: StartCheckoutCommand
) -> None:
    async def the_poller_takes_over() -> None:
        shop.clock.advance(GATEWAY_LEASE)
        await shop.settle(the_checkout(shop))

    shop.gateway.meanwhile["create_order"] = the_poller_takes_over
    checkout = await start(shop, command)
    assert checkout == the_checkout(shop)
    assert (len(shop.gateway.orders), checkout.gateway_order_id) == (2, next(iter(shop.gateway.orders)))
    assert (await shop.start_checkout.execute(command)).value == checkout


async def test_a_second_tab_of_the_same_cart_resumes_what_the_first_left_opening(
    shop: Shop, command: StartCheckoutCommand
) -> None:
    shop.gateway.will("create_order", DIED_AFTER_ACTING)
    with pytest.raises(ProcessDiedError):
        await start(shop, command)
    shop.clock.advance(GATEWAY_LEASE)
    second_tab = replace(command, request_id=shop.new_request())
    opened = await start(shop, second_tab)
    assert (opened.state, len(shop.gateway.orders)) == (CheckoutState.OPEN, 1)
    assert await start(shop, command) == opened
    assert await start(shop, second_tab) == opened


async def test_a_gateway_that_refuses_ends_the_checkout_and_gives_the_stock_back(
    shop: Shop, command: StartCheckoutCommand
) -> None:
    shop.gateway.will("create_order", Fault(refused_by_gateway("currency not supported")))
    with refused(Reason.CHECKOUT_REFUSED_BY_GATEWAY) as refusal:
        await start(shop, command)
    failed = the_checkout(shop)
    assert refusal.error.metadata == {"checkout_id": str(failed.id)}
    assert (failed.state, shop.level(failed.lines[0].variant_id)) == (CheckoutState.FAILED, (1, 0))
    assert shop.tables.checkouts[failed.id].next_check_at is None


async def test_a_refused_request_stays_refused_and_a_new_one_starts_afresh(
    shop: Shop, command: StartCheckoutCommand
) -> None:
    shop.gateway.will("create_order", Fault(refused_by_gateway("currency not supported")))
    with refused(Reason.CHECKOUT_REFUSED_BY_GATEWAY):
        await start(shop, command)
    with refused_with_nothing_committed(shop.database, Reason.CHECKOUT_REFUSED_BY_GATEWAY):
        await start(shop, command)
    assert shop.gateway.calls == ["create_order"]
    assert (await start(shop, replace(command, request_id=shop.new_request()))).state is CheckoutState.OPEN


async def test_a_checkout_superseded_while_it_was_opened_is_not_shown(
    shop: Shop, command: StartCheckoutCommand
) -> None:
    newer = replace(command, request_id=shop.new_request(), address=ELSEWHERE)
    shop.gateway.meanwhile["create_order"] = lambda: start(shop, newer)
    with refused(Reason.CHECKOUT_STATE_INVALID) as refusal:
        await start(shop, command)
    assert refusal.error.metadata["state"] == "superseded"
    states = [row.checkout.state for row in shop.tables.checkouts.values()]
    assert states == [CheckoutState.SUPERSEDED, CheckoutState.OPEN]
    with refused_with_nothing_committed(shop.database, Reason.CHECKOUT_STATE_INVALID):
        await start(shop, command)


async def test_a_checkout_given_up_while_it_was_opened_is_not_shown(shop: Shop, command: StartCheckoutCommand) -> None:
    async def the_customer_gives_up() -> None:
        await shop.abandon_checkout.execute(AbandonCheckoutCommand(ASHA, shop.new_request(), the_checkout(shop).id))

    shop.gateway.meanwhile["create_order"] = the_customer_gives_up
    with refused(Reason.CHECKOUT_STATE_INVALID):
        await start(shop, command)
    assert the_checkout(shop).state is CheckoutState.ABANDONED
    assert shop.level(the_checkout(shop).lines[0].variant_id) == (1, 0)


async def test_a_first_commit_that_fails_leaves_nothing_and_asks_nobody(
    shop: Shop, command: StartCheckoutCommand
) -> None:
    shop.database.fail_next_commit = ConnectionError("the database went away")
    with pytest.raises(ConnectionError):
        await start(shop, command)
    assert (shop.tables.checkouts, shop.gateway.calls) == ({}, [])
    assert (await start(shop, command)).state is CheckoutState.OPEN


async def test_a_second_commit_that_fails_is_made_good_by_the_retry(shop: Shop, command: StartCheckoutCommand) -> None:
    async def the_database_goes_away() -> None:
        shop.database.fail_next_commit = ConnectionError("the database went away")

    shop.gateway.meanwhile["create_order"] = the_database_goes_away
    with pytest.raises(ConnectionError):
        await start(shop, command)
    assert the_checkout(shop).state is CheckoutState.OPENING
    shop.clock.advance(GATEWAY_LEASE)
    assert (await start(shop, command)).state is CheckoutState.OPEN
    assert len(shop.gateway.orders) == 1


async def test_pieces_taken_between_looking_and_holding_are_a_refusal_that_leaves_nothing(
    shop: Shop, command: StartCheckoutCommand, monkeypatch: pytest.MonkeyPatch
) -> None:
    kurta = next(iter(shop.tables.variants))

    async def somebody_was_faster(*_: object) -> tuple[Shortage, ...]:
        return (Shortage(kurta, 1, 0),)

    # Under READ COMMITTED another buyer's commit can come between two statements, which one copy of tables cannot show.
    monkeypatch.setattr(InMemoryStock, "hold", somebody_was_faster)
    with refused_with_nothing_committed(shop.database, Reason.INSUFFICIENT_STOCK):
        await start(shop, command)
    assert shop.gateway.calls == []


async def test_no_transaction_is_open_while_the_gateway_is_called(shop: Shop, command: StartCheckoutCommand) -> None:
    open_units: list[int] = []

    async def look() -> None:
        open_units.append(shop.database.open_units)

    shop.gateway.meanwhile["create_order"] = look
    await start(shop, command)
    assert open_units == [0]
    async with InMemoryUnitOfWork(shop.database):
        with pytest.raises(AssertionError, match="while a transaction was open"):
            await shop.gateway.find_order("anything")


async def test_a_retry_after_the_pay_window_opens_nothing_that_nobody_can_pay(
    shop: Shop, command: StartCheckoutCommand
) -> None:
    shop.gateway.will("create_order", DIED)
    with pytest.raises(ProcessDiedError):
        await start(shop, command)
    (row,) = shop.tables.checkouts.values()
    shop.clock.at = row.checkout.pay_before
    with refused(Reason.CHECKOUT_STATE_INVALID):
        await start(shop, command)
    assert shop.gateway.orders == {}
