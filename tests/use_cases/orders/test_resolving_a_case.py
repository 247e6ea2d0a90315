"""ResolveCase: every resolution, every refusal, once; and the sweep that finds money nobody told of."""

import pytest

from kapda.domain.checkout.checkout import CheckoutState
from kapda.domain.orders.use_cases.finish_payment import FinishPaymentCommand
from kapda.domain.orders.use_cases.sweep_recent_payments import SweepRecentPayments
from kapda.domain.payments.gateway import GatewayOrderRequest, GatewayRefundState, GatewayUnknownError
from kapda.domain.payments.payment_case import CaseKind, CaseState, PaymentCase, Resolution
from kapda.domain.payments.refund import RefundKind, RefundState
from kapda.domain.shared.errors import FailedPreconditionError, InvalidArgumentError, NotFoundError, Reason
from tests.fakes.payment_gateway import UNKNOWN
from tests.fakes.samples import rupees
from tests.fakes.shop import Shop
from tests.use_cases.orders.desk import ADMIN, NO_CASE, balance, bought, cancel, refund, resolve, send


async def _finish(shop: Shop, payment_id: str) -> None:
    await shop.finish_payment.execute(FinishPaymentCommand(payment_id, "webhook"))


async def _mismatch(shop: Shop) -> PaymentCase:
    checkout = await shop.check_out_one()
    payment = shop.gateway.pay(checkout.gateway_order_id or "", amount=rupees(1_000))
    await _finish(shop, payment.id)
    return shop.tables.cases[-1]


async def _unknown_order(shop: Shop, pieces: int = 10) -> PaymentCase:
    checkout = await shop.check_out_one(pieces=pieces)
    order = await shop.gateway.create_order(GatewayOrderRequest(str(checkout.id), checkout.total, {}, 12))
    await _finish(shop, shop.gateway.pay(order.id).id)
    return shop.tables.cases[-1]


async def test_the_desk_sends_a_cases_money_back(shop: Shop) -> None:
    case = await _mismatch(shop)
    answer = await resolve(shop, case.id, Resolution.REFUND)
    ended = answer.value
    assert (ended.state, ended.resolution, ended.resolution_reason) == (
        CaseState.RESOLVED,
        Resolution.REFUND,
        "as agreed",
    )
    assert ended.resolved_by == f"admin {ADMIN.user_id}"
    (row,) = shop.tables.refunds.values()
    assert (row.refund.kind, row.refund.case_id, row.refund.amount) == (RefundKind.CASE, case.id, rupees(1_000))
    await send(shop, row.refund.id)
    assert balance(shop, "unassigned_receipts") == balance(shop, "gateway_receivable") == 0


async def test_the_desk_writes_a_case_off(shop: Shop) -> None:
    case = await _mismatch(shop)
    await resolve(shop, case.id, Resolution.WRITE_OFF)
    assert balance(shop, "write_offs") == -100_000
    assert balance(shop, "unassigned_receipts") == 0
    assert shop.tables.refunds == {}


async def test_the_same_decision_again_is_its_first_answer_and_another_is_refused(shop: Shop) -> None:
    case, request = await _mismatch(shop), shop.new_request()
    first = await resolve(shop, case.id, Resolution.REFUND, request)
    again = await resolve(shop, case.id, Resolution.REFUND, request)
    assert (again.value, again.replayed) == (first.value, True)
    with pytest.raises(InvalidArgumentError) as reused:
        await resolve(shop, case.id, Resolution.WRITE_OFF, request)
    assert reused.value.reason is Reason.REQUEST_ID_REUSED
    with pytest.raises(FailedPreconditionError) as over:
        await resolve(shop, case.id, Resolution.WRITE_OFF)
    assert over.value.reason is Reason.CASE_RESOLUTION_NOT_ALLOWED
    assert len(shop.tables.refunds) == 1


async def test_what_a_kind_does_not_allow_and_cases_that_are_not_there_are_refused(shop: Shop) -> None:
    case = await _mismatch(shop)
    for how in (Resolution.PLACE, Resolution.ATTACH):
        with pytest.raises(FailedPreconditionError) as refused:
            await resolve(shop, case.id, how)
        assert refused.value.reason is Reason.CASE_RESOLUTION_NOT_ALLOWED
    with pytest.raises(NotFoundError) as unknown:
        await resolve(shop, NO_CASE, Resolution.REFUND)
    assert unknown.value.reason is Reason.CASE_NOT_FOUND
    assert shop.tables.cases[-1].state is CaseState.OPEN


async def test_the_desk_refunds_money_under_an_order_nobody_opened(shop: Shop) -> None:
    case = await _unknown_order(shop)
    assert case.kind is CaseKind.GATEWAY_ORDER_UNKNOWN
    await resolve(shop, case.id, Resolution.REFUND)
    (row,) = shop.tables.refunds.values()
    await send(shop, row.refund.id)
    assert balance(shop, "gateway_receivable") == 0


async def test_the_desk_places_the_order_after_all(shop: Shop) -> None:
    case = await _unknown_order(shop)
    await resolve(shop, case.id, Resolution.PLACE)
    order = shop.the_order()
    assert (order.checkout_id, order.payment_id) == (case.checkout_id, case.payment_id)
    assert shop.checkout(case.checkout_id).state is CheckoutState.PLACED
    assert balance(shop, "unassigned_receipts") == 0
    # The case stays as the payment's record; from now on the money is the order's.
    assert shop.tables.cases[-1].resolution is Resolution.PLACE


async def test_placing_an_expired_checkout_needs_its_stock_again(shop: Shop) -> None:
    case = await _unknown_order(shop, pieces=1)
    checkout = shop.checkout(case.checkout_id)
    shop.clock.at = checkout.hold_until
    await shop.settle(checkout)
    await shop.check_out(checkout.total)
    with pytest.raises(FailedPreconditionError) as sold:
        await resolve(shop, case.id, Resolution.PLACE)
    assert sold.value.reason is Reason.INSUFFICIENT_STOCK
    assert shop.tables.cases[-1].state is CaseState.OPEN


async def test_placing_needs_a_checkout_that_may_still_be_placed(shop: Shop) -> None:
    case = await _unknown_order(shop)
    checkout = shop.checkout(case.checkout_id)
    payment = shop.gateway.pay(checkout.gateway_order_id or "")
    await shop.place_order.execute(shop.coming_back(checkout, payment))
    with pytest.raises(FailedPreconditionError) as placed:
        await resolve(shop, case.id, Resolution.PLACE)
    assert placed.value.reason is Reason.CHECKOUT_STATE_INVALID


async def _by_hand(shop: Shop, quantity: int = 2, *, state: GatewayRefundState = GatewayRefundState.PROCESSED) -> str:
    order = await bought(shop, quantity)
    (payment,) = shop.tables.payments.values()
    told = shop.gateway.send_back(payment.gateway_payment_id, order.total, state=state)
    await shop.record_refund.told(told)
    return told.id


async def test_a_refund_by_hand_is_attached_to_the_order_it_emptied(shop: Shop) -> None:
    await _by_hand(shop)
    (case,) = shop.tables.cases
    assert (case.kind, case.state) == (CaseKind.DASHBOARD_REFUND, CaseState.OPEN)
    await resolve(shop, case.id, Resolution.ATTACH)
    for account in ("refund_adjustments", "designer_payable", "commission_revenue", "refunds_payable"):
        assert balance(shop, account) == 0
    with pytest.raises(FailedPreconditionError) as gone:
        await refund(shop, shop.the_order().id, (1, 1))
    assert gone.value.reason is Reason.REFUND_EXCEEDS_ORDER


async def test_a_refund_by_hand_of_part_of_an_order_is_written_off_not_attached(shop: Shop) -> None:
    await bought(shop, 2)
    (payment,) = shop.tables.payments.values()
    await shop.record_refund.told(shop.gateway.send_back(payment.gateway_payment_id, rupees(700)))
    (case,) = shop.tables.cases
    with pytest.raises(FailedPreconditionError) as part:
        await resolve(shop, case.id, Resolution.ATTACH)
    assert part.value.reason is Reason.REFUND_EXCEEDS_ORDER
    await resolve(shop, case.id, Resolution.WRITE_OFF)
    assert (balance(shop, "refund_adjustments"), balance(shop, "write_offs")) == (0, 70_000)


async def test_nothing_is_decided_while_the_money_is_on_its_way(shop: Shop) -> None:
    refund_id = await _by_hand(shop, state=GatewayRefundState.PENDING)
    (case,) = shop.tables.cases
    for how in (Resolution.ATTACH, Resolution.WRITE_OFF):
        with pytest.raises(FailedPreconditionError) as waits:
            await resolve(shop, case.id, how)
        assert waits.value.reason is Reason.CASE_RESOLUTION_NOT_ALLOWED
    await shop.record_refund.told(shop.gateway.end_refund(refund_id, GatewayRefundState.FAILED))
    (payment,) = shop.tables.payments.values()
    assert payment.refund_reserved == rupees(0)
    assert [row.state for row in shop.tables.cases] == [CaseState.RESOLVED]
    assert balance(shop, "refund_adjustments") == balance(shop, "refunds_payable") == 0


async def test_a_failed_refund_is_sent_anew_or_given_up(shop: Shop) -> None:
    order = await bought(shop, 2)
    shop.gateway.refund_state = GatewayRefundState.FAILED
    await cancel(shop, order.id)
    (row,) = shop.tables.refunds.values()
    await send(shop, row.refund.id)
    (case,) = shop.tables.cases
    assert (case.kind, case.refund_id) == (CaseKind.REFUND_FAILED, row.refund.id)
    await resolve(shop, case.id, Resolution.REFUND)
    again = next(r.refund for r in shop.tables.refunds.values() if r.refund.case_id == case.id)
    await send(shop, again.id)
    second = shop.tables.cases[-1]
    assert (second.kind, second.refund_id) == (CaseKind.REFUND_FAILED, again.id)
    await resolve(shop, second.id, Resolution.WRITE_OFF)
    (payment,) = shop.tables.payments.values()
    assert payment.refund_reserved == rupees(0)
    assert (balance(shop, "refunds_payable"), balance(shop, "write_offs")) == (0, -order.total.amount_minor)


async def test_a_refund_by_hand_beside_all_that_is_reserved_waits_its_turn(shop: Shop) -> None:
    order = await bought(shop, 2)
    await refund(shop, order.id, (1, 2))
    (payment,) = shop.tables.payments.values()
    told = shop.gateway.send_back(payment.gateway_payment_id, rupees(500))
    with pytest.raises(Exception, match="does not fit") as waits:
        await shop.record_refund.told(told)
    assert getattr(waits.value, "reason", None) is Reason.CONCURRENT_UPDATE
    assert len(shop.tables.refunds) == 1


async def test_a_refund_heard_of_twice_is_booked_once(shop: Shop) -> None:
    order = await bought(shop)
    (payment,) = shop.tables.payments.values()
    told = shop.gateway.send_back(payment.gateway_payment_id, order.total)
    first = await shop.record_refund.told(told)
    assert await shop.record_refund.told(told) == first
    assert first is not None
    assert (first.kind, first.state) == (RefundKind.DASHBOARD, RefundState.PROCESSED)
    assert balance(shop, "gateway_receivable") == 0


async def test_the_sweep_finishes_what_no_door_has_told_of_and_goes_round_what_it_cannot(shop: Shop) -> None:
    checkouts = [await shop.check_out_one() for _ in range(1)]
    payment = shop.gateway.pay(checkouts[0].gateway_order_id or "")
    stranger = await shop.gateway.create_order(GatewayOrderRequest("somebody-else", rupees(5), {}, 12))
    poison = shop.gateway.pay(stranger.id)
    shop.clock.at = payment.created_at
    # The stranger's payment comes first in the list, and the gateway does not answer about it.
    shop.gateway.payments = {poison.id: poison, payment.id: payment}
    sweep = SweepRecentPayments(shop.database.unit_of_work, shop.gateway, shop.finish_payment, shop.clock)
    shop.gateway.will("fetch_payment", UNKNOWN)
    with pytest.raises(GatewayUnknownError):
        await sweep.execute()
    assert shop.the_order().checkout_id == checkouts[0].id
    assert (await sweep.execute()).found == 1
    assert (await sweep.execute()).found == 0
    assert set(shop.tables.foreign_payments) == {poison.id}
