"""CancelOrder, RefundOrder, ListRefunds and SendRefund: what each does, refuses, and answers the second time."""

import pytest

from kapda.domain.orders.order import OrderState
from kapda.domain.orders.use_cases.list_refunds import ListRefunds, ListRefundsCommand
from kapda.domain.payments.gateway import GatewayRefundState, GatewayUnknownError
from kapda.domain.payments.payment import PaymentState
from kapda.domain.payments.payment_case import CaseKind, CaseState
from kapda.domain.payments.refund import RefundKind, RefundState
from kapda.domain.shared.errors import (
    DomainError,
    FailedPreconditionError,
    InvalidArgumentError,
    NotFoundError,
    PermissionDeniedError,
    Reason,
)
from kapda.domain.shared.jobs import Job
from tests.fakes.payment_gateway import ACTED_BUT_UNKNOWN, DIED_AFTER_ACTING, UNKNOWN, Fault, ProcessDiedError, refused
from tests.fakes.samples import BINOD, rupees
from tests.fakes.shop import Shop
from tests.use_cases.orders.desk import ADMIN, NO_ORDER, a_proof, balance, bought, cancel, customer, refund, send


async def test_a_cancelled_order_gives_back_stock_at_once_and_promises_its_money(shop: Shop) -> None:
    order = await bought(shop, 2)
    variant = order.lines[0].variant_id
    assert shop.level(variant) == (8, 0)
    answer = await cancel(shop, order.id)
    assert (answer.value.state, answer.replayed) == (OrderState.CANCELLED, False)
    assert shop.level(variant) == (10, 0)
    (promised,) = shop.tables.refunds.values()
    assert (promised.refund.kind, promised.refund.state) == (RefundKind.ORDER_CANCELLED, RefundState.REQUESTED)
    assert promised.refund.amount == order.total
    assert (Job.SEND_REFUND, promised.refund.id) in shop.tables.jobs
    assert balance(shop, "refunds_payable") == -order.total.amount_minor
    assert balance(shop, "designer_payable") == balance(shop, "commission_revenue") == 0
    assert shop.gateway.refunds == {}


async def test_the_same_cancellation_again_is_its_first_answer(shop: Shop) -> None:
    order, request = await bought(shop), shop.new_request()
    first = await cancel(shop, order.id, request=request)
    again = await cancel(shop, order.id, request=request)
    assert (again.value, again.replayed) == (first.value, True)
    assert len(shop.tables.refunds) == 1
    with pytest.raises(InvalidArgumentError) as reused:
        await cancel(shop, order.id, request=request, reason="something else")
    assert reused.value.reason is Reason.REQUEST_ID_REUSED


async def test_an_order_is_called_off_once_and_by_its_owner_or_an_admin(shop: Shop) -> None:
    order = await bought(shop)
    for who, order_id in ((customer(BINOD), order.id), (customer(), NO_ORDER), (ADMIN, NO_ORDER)):
        with pytest.raises(NotFoundError) as unknown:
            await cancel(shop, order_id, who, proof=a_proof() if who is ADMIN else None)
        assert unknown.value.reason is Reason.ORDER_NOT_FOUND
    await cancel(shop, order.id, ADMIN, proof=a_proof())
    with pytest.raises(FailedPreconditionError) as over:
        await cancel(shop, order.id)
    assert over.value.reason is Reason.ORDER_STATE_INVALID
    assert len(shop.tables.refunds) == 1


async def test_an_admin_calls_nothing_off_without_a_signature(shop: Shop) -> None:
    order = await bought(shop)
    with pytest.raises(PermissionDeniedError) as refused:
        await cancel(shop, order.id, ADMIN)
    assert refused.value.reason is Reason.SIGNATURE_MISSING
    assert shop.the_order().state is OrderState.PLACED
    assert shop.tables.refunds == {}


async def test_an_admins_signature_calls_off_one_order_and_a_retry_is_signed_anew(shop: Shop) -> None:
    order, request, proof, again = await bought(shop), shop.new_request(), a_proof(), a_proof()
    first = await cancel(shop, order.id, ADMIN, request, proof=proof)
    second = await cancel(shop, order.id, ADMIN, request, proof=again)
    assert (second.value, second.replayed) == (first.value, True)
    for spent in (proof, again):
        with pytest.raises(PermissionDeniedError) as refused:
            await cancel(shop, order.id, ADMIN, request, proof=spent)
        assert refused.value.reason is Reason.NONCE_REUSED


async def test_a_cancellation_whose_commit_fails_leaves_nothing_and_can_be_sent_again(shop: Shop) -> None:
    order, request = await bought(shop), shop.new_request()
    shop.database.fail_next_commit = RuntimeError("the disk is full")
    with pytest.raises(RuntimeError):
        await cancel(shop, order.id, request=request)
    assert shop.the_order().state is OrderState.PLACED
    assert shop.tables.refunds == {}
    assert not (await cancel(shop, order.id, request=request)).replayed


async def test_pieces_go_back_with_or_without_the_shelf(shop: Shop) -> None:
    order = await bought(shop, 3)
    variant = order.lines[0].variant_id
    await refund(shop, order.id, (1, 1))
    assert shop.level(variant) == (7, 0)
    answer = await refund(shop, order.id, (1, 1), restock=True)
    assert shop.level(variant) == (8, 0)
    assert (answer.value.kind, answer.value.amount) == (RefundKind.ORDER_LINES, rupees(1_499))
    await cancel(shop, order.id)
    assert shop.level(variant) == (9, 0)
    assert sum(row.refund.amount.amount_minor for row in shop.tables.refunds.values()) == order.total.amount_minor


async def test_the_same_refund_again_is_its_first_answer(shop: Shop) -> None:
    order, request = await bought(shop, 2), shop.new_request()
    first = await refund(shop, order.id, (1, 1), request=request)
    again = await refund(shop, order.id, (1, 1), request=request)
    assert (again.value, again.replayed) == (first.value, True)
    assert len(shop.tables.refunds) == 1
    with pytest.raises(InvalidArgumentError) as reused:
        await refund(shop, order.id, (1, 2), request=request)
    assert reused.value.reason is Reason.REQUEST_ID_REUSED


@pytest.mark.parametrize(
    ("lines", "shipping", "reason"),
    [
        ([(1, 3)], 0, Reason.REFUND_EXCEEDS_ORDER),
        ([(1, 1)], 1, Reason.REFUND_EXCEEDS_ORDER),
        ([(2, 1)], 0, Reason.VALIDATION_FAILED),
        ([], 0, Reason.VALIDATION_FAILED),
        ([], -1, Reason.VALIDATION_FAILED),
    ],
)
async def test_a_refund_that_cannot_be_is_refused_and_leaves_nothing(
    shop: Shop, lines: list[tuple[int, int]], shipping: int, reason: Reason
) -> None:
    order = await bought(shop, 2)
    with pytest.raises(DomainError) as no:
        await refund(shop, order.id, *lines, shipping=rupees(shipping))
    assert no.value.reason is reason
    with pytest.raises(NotFoundError):
        await refund(shop, NO_ORDER, (1, 1))
    assert shop.tables.refunds == {}


async def test_refunds_are_listed_to_their_owner_and_to_admins(shop: Shop) -> None:
    order = await bought(shop, 2)
    made = [(await refund(shop, order.id, (1, 1))).value for _ in range(2)]
    list_refunds = ListRefunds(shop.database.unit_of_work)
    for who in (customer(), ADMIN):
        assert list(await list_refunds.execute(ListRefundsCommand(who, order.id))) == made
    for who, order_id in ((customer(BINOD), order.id), (ADMIN, NO_ORDER)):
        with pytest.raises(NotFoundError) as unknown:
            await list_refunds.execute(ListRefundsCommand(who, order_id))
        assert unknown.value.reason is Reason.ORDER_NOT_FOUND


async def test_a_promised_refund_is_sent_once_however_often_its_job_runs(shop: Shop) -> None:
    order = await bought(shop)
    await cancel(shop, order.id)
    (row,) = shop.tables.refunds.values()
    for _ in range(3):
        await send(shop, row.refund.id)
    (sent,) = shop.gateway.refunds.values()
    assert (sent.receipt, sent.amount) == (str(row.refund.id), order.total)
    (payment,) = shop.tables.payments.values()
    assert (payment.state, payment.refunded) == (PaymentState.REFUNDED, order.total)
    assert balance(shop, "refunds_payable") == balance(shop, "gateway_receivable") == 0


@pytest.mark.parametrize("fault", [UNKNOWN, ACTED_BUT_UNKNOWN, DIED_AFTER_ACTING], ids=["before", "after", "killed"])
async def test_f31_an_unanswered_call_is_looked_up_before_it_is_made_again(shop: Shop, fault: Fault) -> None:
    order = await bought(shop)
    await cancel(shop, order.id)
    (row,) = shop.tables.refunds.values()
    shop.gateway.will("refund", fault)
    with pytest.raises((GatewayUnknownError, ProcessDiedError)):
        await send(shop, row.refund.id)
    (waiting,) = shop.tables.refunds.values()
    assert (waiting.refund.state, waiting.refund.attempts) == (RefundState.REQUESTED, 1)
    assert waiting.next_look_at is not None
    await send(shop, row.refund.id)
    assert len(shop.gateway.refunds) == 1
    assert shop.gateway.calls.count("refund") == (2 if fault is UNKNOWN else 1)
    assert shop.tables.refunds[row.refund.id].refund.state is RefundState.PROCESSED


async def test_a_refusal_is_a_case_unless_an_earlier_call_is_what_it_was_refused_for(shop: Shop) -> None:
    order = await bought(shop, 2)
    one, two = [(await refund(shop, order.id, (1, 1))).value for _ in range(2)]
    shop.gateway.will("refund", Fault(refused("Your account does not have enough balance")))
    await send(shop, one.id)
    assert shop.tables.refunds[one.id].refund.state is RefundState.FAILED
    (case,) = shop.tables.cases
    assert (case.kind, case.refund_id, case.amount) == (CaseKind.REFUND_FAILED, one.id, one.amount)
    shop.gateway.will("refund", Fault(refused("already processed"), after_acting=True))
    await send(shop, two.id)
    assert shop.tables.refunds[two.id].refund.state is RefundState.PROCESSED
    assert balance(shop, "refunds_payable") == -one.amount.amount_minor


async def test_a_refused_refund_that_went_all_the_same_and_came_back_is_the_same_case_again(shop: Shop) -> None:
    order = await bought(shop)
    await cancel(shop, order.id)
    (row,) = shop.tables.refunds.values()
    shop.gateway.will("refund", Fault(refused("Your account does not have enough balance")))
    await send(shop, row.refund.id)
    (opened,) = shop.tables.cases
    (payment,) = shop.tables.payments.values()

    sent = shop.gateway.send_back(payment.gateway_payment_id, order.total, receipt=str(row.refund.id))
    for _ in range(2):
        await shop.record_refund.told(sent)
    (ended,) = shop.tables.cases
    assert (ended.id, ended.state, ended.resolved_by) == (opened.id, CaseState.RESOLVED, "gateway")
    assert balance(shop, "refunds_payable") == 0

    await shop.record_refund.told(shop.gateway.end_refund(sent.id, GatewayRefundState.FAILED))
    assert shop.tables.cases == [opened]
    assert balance(shop, "refunds_payable") == -order.total.amount_minor


async def test_a_pending_refund_is_asked_after_and_one_that_comes_back_is_owed_again(shop: Shop) -> None:
    order = await bought(shop)
    await cancel(shop, order.id)
    (row,) = shop.tables.refunds.values()
    shop.gateway.refund_state = GatewayRefundState.PENDING
    await send(shop, row.refund.id)
    await send(shop, row.refund.id)
    assert shop.tables.refunds[row.refund.id].refund.state is RefundState.PENDING
    (sent,) = shop.gateway.refunds.values()
    shop.gateway.end_refund(sent.id, GatewayRefundState.PROCESSED)
    await send(shop, row.refund.id)
    assert balance(shop, "refunds_payable") == 0
    await shop.record_refund.told(shop.gateway.end_refund(sent.id, GatewayRefundState.FAILED))
    (payment,) = shop.tables.payments.values()
    assert (payment.state, payment.refunded, payment.refund_reserved) == (
        PaymentState.CAPTURED,
        rupees(0),
        order.total,
    )
    assert balance(shop, "refunds_payable") == -order.total.amount_minor
    assert [case.kind for case in shop.tables.cases] == [CaseKind.REFUND_FAILED]
