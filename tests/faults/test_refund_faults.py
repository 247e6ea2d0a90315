"""Refunds against a gateway that loses answers, makes us wait and changes its mind: one each, and all accounted for."""

from typing import Any

import pytest

from kapda.domain.orders.order import Order
from kapda.domain.orders.use_cases.send_refund import SendRefundCommand
from kapda.domain.payments.gateway import GatewayRefusedError
from kapda.domain.payments.payment_case import Resolution
from kapda.domain.shared.errors import FailedPreconditionError, Reason
from kapda.domain.shared.ids import RefundId
from tests.shop.buyer import new_buyer
from tests.shop.desk import (
    bank_says,
    cancel,
    cases_of,
    check_books,
    customer,
    faults,
    hear,
    payment_of,
    poll,
    refund,
    refunds_of,
    resolve,
    send,
    send_due,
    states,
)
from tests.shop.meddling import failing, meddling
from tests.shop.shop import KEY_ID, KEY_SECRET, Shop

PENDING = {"kind": "refund_pending", "then": None, "times": 1}


async def _cancelled(shop: Shop, pieces: int = 1) -> tuple[Order, str]:
    """An order that was called off, its refund promised and not sent yet; and its payment."""
    buyer = await new_buyer(shop)
    order = await buyer.buys(await shop.variant(), pieces)
    await cancel(shop, customer(buyer.id), order.id)
    return order, await payment_of(shop, order)


async def _at_gateway(shop: Shop, payment_id: str) -> list[dict[str, Any]]:
    return [refund for refund in (await shop.books())["refunds"] if refund["payment_id"] == payment_id]


async def test_a_cancelled_order_is_refunded_by_its_job_once(shop: Shop) -> None:
    order, payment_id = await _cancelled(shop)
    (ours,) = await refunds_of(shop, payment_id)
    for _ in range(3):
        await send(shop, ours["id"])
    (theirs,) = await _at_gateway(shop, payment_id)
    assert (theirs["amount"], theirs["receipt"]) == (order.total.amount_minor, str(ours["id"]))
    assert states(await refunds_of(shop, payment_id)) == ["processed"]
    await check_books(shop)


@pytest.mark.parametrize("lists", ["fresh", "lagging"])
async def test_f31_a_refund_whose_answer_is_lost_is_found_and_not_made_twice(shop: Shop, lists: str) -> None:
    _, payment_id = await _cancelled(shop)
    (ours,) = await refunds_of(shop, payment_id)
    lag = [{"kind": "list_lag", "seconds": 3600}] if lists == "lagging" else []
    async with faults(shop, {"kind": "timeout_after", "operation": "refund", "times": 1}, *lag):
        await send(shop, ours["id"])
        assert states(await refunds_of(shop, payment_id)) == ["requested"]
        await send(shop, ours["id"])
    assert len(await _at_gateway(shop, payment_id)) == 1
    assert states(await refunds_of(shop, payment_id)) == ["processed"]
    await check_books(shop)


async def test_f31_the_webhook_of_a_refund_whose_answer_was_lost_attaches_it(shop: Shop) -> None:
    _, payment_id = await _cancelled(shop)
    (ours,) = await refunds_of(shop, payment_id)
    async with faults(shop, {"kind": "timeout_after", "operation": "refund", "times": 1}):
        await send(shop, ours["id"])
    (theirs,) = await _at_gateway(shop, payment_id)
    await hear(shop, "refund.processed", refund=theirs, payment={"id": payment_id})
    (known,) = await refunds_of(shop, payment_id)
    assert (known["state"], known["gateway_refund_id"]) == ("processed", theirs["id"])
    await send(shop, ours["id"])
    assert len(await _at_gateway(shop, payment_id)) == 1
    await check_books(shop)


@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "timeout_before"},
        {"kind": "rate_limited"},
        {"kind": "server_error", "status": 503},
        {"kind": "server_error", "acts": True},
        {"kind": "html"},
        {"kind": "html", "acts": True},
        {"kind": "wrong_amount"},
    ],
    ids=lambda fault: "_".join(str(value) for value in fault.values()),
)
async def test_an_answer_that_cannot_be_trusted_costs_a_retry_and_no_second_refund(
    shop: Shop, fault: dict[str, object]
) -> None:
    _, payment_id = await _cancelled(shop)
    async with faults(shop, fault | {"operation": "refund", "times": 2}):
        await send_due(shop, 2)
    await send_due(shop)
    assert len(await _at_gateway(shop, payment_id)) == 1
    assert states(await refunds_of(shop, payment_id)) == ["processed"]
    await check_books(shop)


async def test_r6_a_refund_still_in_progress_is_looked_up_and_not_made_twice(shop: Shop) -> None:
    _, payment_id = await _cancelled(shop)
    (ours,) = await refunds_of(shop, payment_id)
    async with faults(shop, {"kind": "refund_in_progress", "times": 2}):
        await send(shop, ours["id"])
        assert states(await refunds_of(shop, payment_id)) == ["requested"]
        await send(shop, ours["id"])
    assert len(await _at_gateway(shop, payment_id)) == 1
    assert states(await refunds_of(shop, payment_id)) == ["processed"]
    await check_books(shop)


async def test_r6_another_amount_under_a_used_key_is_no_refund_but_a_case(shop: Shop) -> None:
    """A bug of ours by definition: it must end loudly, where a person looks, and with the customer's money owed."""
    order, payment_id = await _cancelled(shop, 2)
    (ours,) = await refunds_of(shop, payment_id)
    key = {"X-Refund-Idempotency": str(ours["id"])}
    auth = ("rzp_test_races", "races key secret")
    body = {"amount": order.total.amount_minor // 2, "speed": "normal"}
    (await shop.http.post(f"/v1/payments/{payment_id}/refund", json=body, headers=key, auth=auth)).raise_for_status()
    await send(shop, ours["id"])
    assert states(await refunds_of(shop, payment_id)) == ["failed"]
    (case,) = await cases_of(shop, payment_id)
    assert (case["kind"], case["state"], case["refund_id"]) == ("refund_failed", "open", ours["id"])
    # What went under the used key is noticed too, once there is room for it; until then both are owed and reserved.
    await resolve(shop, await shop.admin(), case["id"], Resolution.WRITE_OFF)
    await poll(shop, order.checkout_id)
    await check_books(shop)


async def test_a_pending_refund_is_asked_after_until_it_has_gone(shop: Shop) -> None:
    _, payment_id = await _cancelled(shop)
    async with faults(shop, PENDING):
        await send_due(shop, 3)
    (ours,) = await refunds_of(shop, payment_id)
    assert ours["state"] == "pending"
    await check_books(shop)
    await bank_says(shop, ours["gateway_refund_id"], "process")
    await send_due(shop)
    assert states(await refunds_of(shop, payment_id)) == ["processed"]
    (payment,) = await shop.sql("SELECT * FROM payments WHERE gateway_payment_id = :id", id=payment_id)
    assert (payment["state"], payment["refunded_minor"]) == ("refunded", payment["amount_minor"])
    await check_books(shop)


async def _failed(shop: Shop) -> tuple[Order, str]:
    """An order that was called off, whose refund the bank could not deliver."""
    order, payment_id = await _cancelled(shop)
    async with faults(shop, PENDING):
        await send_due(shop)
    (ours,) = await refunds_of(shop, payment_id)
    await bank_says(shop, ours["gateway_refund_id"], "fail")
    await send_due(shop)
    return order, payment_id


async def test_a_failed_refund_is_a_case_that_the_desk_sends_anew(shop: Shop) -> None:
    _, payment_id = await _failed(shop)
    (case,) = await cases_of(shop, payment_id)
    assert (case["kind"], case["state"]) == ("refund_failed", "open")
    sums = await check_books(shop)
    assert sums.refunds >= case["amount_minor"]

    await resolve(shop, await shop.admin(), case["id"], Resolution.REFUND)
    await send_due(shop)

    assert states(await refunds_of(shop, payment_id)) == ["failed", "processed"]
    assert states(await cases_of(shop, payment_id)) == ["resolved"]
    await check_books(shop)


async def test_a_refund_that_fails_again_is_a_case_again_and_can_be_written_off(shop: Shop) -> None:
    _, payment_id = await _failed(shop)
    admin = await shop.admin()
    (case,) = await cases_of(shop, payment_id)
    async with faults(shop, PENDING):
        await resolve(shop, admin, case["id"], Resolution.REFUND)
        await send_due(shop)
    _, second = await refunds_of(shop, payment_id)
    await bank_says(shop, second["gateway_refund_id"], "fail")
    await send_due(shop)
    _, again = await cases_of(shop, payment_id)
    assert (again["kind"], again["state"], again["refund_id"]) == ("refund_failed", "open", second["id"])
    await check_books(shop)

    await resolve(shop, admin, again["id"], Resolution.WRITE_OFF)

    sums = await check_books(shop)
    assert sums.written_off >= case["amount_minor"]
    with pytest.raises(FailedPreconditionError) as refused:
        await resolve(shop, admin, again["id"], Resolution.REFUND)
    assert refused.value.reason is Reason.CASE_RESOLUTION_NOT_ALLOWED


async def test_a_failed_refund_that_somebody_sends_by_hand_ends_its_case(shop: Shop) -> None:
    order, payment_id = await _failed(shop)
    sent = await shop.http.post(f"/emulator/payments/{payment_id}/refund", json={"amount": order.total.amount_minor})
    await hear(shop, "refund.processed", refund=sent.json(), payment={"id": payment_id})
    assert states(await refunds_of(shop, payment_id)) == ["failed", "processed"]
    (case,) = await cases_of(shop, payment_id)
    assert (case["state"], case["resolution"], case["resolved_by"]) == ("resolved", "refund", "gateway")
    await check_books(shop)


async def _refused(shop: Shop, pieces: int = 1) -> tuple[Order, str]:
    """An order of which a piece goes back, by a refund whose first call is still on its way when its second is refused."""
    buyer, admin = await new_buyer(shop), await shop.admin()
    order = await buyer.buys(await shop.variant(), pieces)
    await refund(shop, admin, order.id, (1, 1))
    payment_id = await payment_of(shop, order)
    (ours,) = await refunds_of(shop, payment_id)
    no = GatewayRefusedError(400, "BAD_REQUEST_ERROR", "no", reason=None, field=None)
    async with meddling(shop.container) as gateway:
        gateway.before["refund"] = [failing(no)]
        await shop.container.send_refund().execute(SendRefundCommand(RefundId(ours["id"])))
    assert states(await refunds_of(shop, payment_id)) == ["failed"]
    return order, payment_id


async def _the_first_call_arrives(shop: Shop, payment_id: str) -> dict[str, Any]:
    """What was refused meanwhile is made after all, under our reference, and its webhook comes."""
    ours = (await refunds_of(shop, payment_id))[0]
    body = {"amount": ours["amount_minor"], "speed": "normal", "receipt": str(ours["id"])}
    key = {"X-Refund-Idempotency": str(ours["id"])}
    url = f"/v1/payments/{payment_id}/refund"
    made: dict[str, Any] = (await shop.http.post(url, json=body, headers=key, auth=(KEY_ID, KEY_SECRET))).json()
    await hear(shop, "refund.created", refund=made, payment={"id": payment_id})
    return made


async def test_a_refund_that_was_refused_and_has_gone_all_the_same_ends_its_case(shop: Shop) -> None:
    _, payment_id = await _refused(shop)
    (case,) = await cases_of(shop, payment_id)
    assert (case["kind"], case["state"]) == ("refund_failed", "open")
    await check_books(shop)

    await _the_first_call_arrives(shop, payment_id)

    assert states(await refunds_of(shop, payment_id)) == ["processed"]
    (case,) = await cases_of(shop, payment_id)
    assert (case["state"], case["resolution"], case["resolved_by"]) == ("resolved", "refund", "gateway")
    await send_due(shop)
    assert len(await _at_gateway(shop, payment_id)) == 1
    await check_books(shop)


async def test_a_refused_refund_that_is_under_way_all_the_same_is_nothing_to_decide_about_until_it_ends(
    shop: Shop,
) -> None:
    _, payment_id = await _refused(shop)
    (case,) = await cases_of(shop, payment_id)
    async with faults(shop, PENDING):
        made = await _the_first_call_arrives(shop, payment_id)
    assert states(await refunds_of(shop, payment_id)) == ["pending"]
    admin = await shop.admin()
    with pytest.raises(FailedPreconditionError) as waits:
        await resolve(shop, admin, case["id"], Resolution.REFUND)
    assert waits.value.reason is Reason.CASE_RESOLUTION_NOT_ALLOWED

    await bank_says(shop, made["id"], "fail")
    await send_due(shop)

    assert states(await refunds_of(shop, payment_id)) == ["failed"]
    assert [(row["id"], row["state"]) for row in await cases_of(shop, payment_id)] == [(case["id"], "open")]
    await check_books(shop)
    await resolve(shop, admin, case["id"], Resolution.REFUND)
    await send_due(shop)
    assert states(await refunds_of(shop, payment_id)) == ["failed", "processed"]
    await check_books(shop)


async def test_a_refused_refund_that_has_gone_all_the_same_is_the_one_that_the_desk_has_not_sent_yet(
    shop: Shop,
) -> None:
    _, payment_id = await _refused(shop)
    (case,) = await cases_of(shop, payment_id)
    await resolve(shop, await shop.admin(), case["id"], Resolution.REFUND)

    await _the_first_call_arrives(shop, payment_id)

    assert states(await refunds_of(shop, payment_id)) == ["failed", "processed"]
    await send_due(shop)
    assert len(await _at_gateway(shop, payment_id)) == 1
    await check_books(shop)


@pytest.mark.parametrize("resolution", [Resolution.REFUND, Resolution.WRITE_OFF])
async def test_a_refused_refund_that_went_after_the_desk_had_settled_it_is_a_case_of_its_own(
    shop: Shop, resolution: Resolution
) -> None:
    _, payment_id = await _refused(shop, 3)
    (case,) = await cases_of(shop, payment_id)
    await resolve(shop, await shop.admin(), case["id"], resolution)
    await send_due(shop)

    await _the_first_call_arrives(shop, payment_id)

    (settled, adopted) = await cases_of(shop, payment_id)
    assert (settled["state"], adopted["kind"], adopted["state"]) == ("resolved", "dashboard_refund", "open")
    assert len(await _at_gateway(shop, payment_id)) == (2 if resolution is Resolution.REFUND else 1)
    await check_books(shop)


async def test_a_refund_made_by_hand_before_ours_was_sent_is_ours(shop: Shop) -> None:
    """The customer cancels while somebody at the dashboard does the same: one refund, and no case."""
    order, payment_id = await _cancelled(shop)
    sent = await shop.http.post(f"/emulator/payments/{payment_id}/refund", json={"amount": order.total.amount_minor})
    await hear(shop, "refund.created", refund=sent.json(), payment={"id": payment_id})
    await send_due(shop)
    (ours,) = await refunds_of(shop, payment_id)
    assert (ours["state"], ours["gateway_refund_id"], ours["kind"]) == (
        "processed",
        sent.json()["id"],
        "order_cancelled",
    )
    assert await cases_of(shop, payment_id) == []
    await check_books(shop)


async def test_a_refund_refused_because_somebody_was_quicker_is_matched_when_it_is_heard_of(shop: Shop) -> None:
    order, payment_id = await _cancelled(shop)
    sent = await shop.http.post(f"/emulator/payments/{payment_id}/refund", json={"amount": order.total.amount_minor})
    (ours,) = await refunds_of(shop, payment_id)
    await send(shop, ours["id"])
    await hear(shop, "refund.processed", refund=sent.json(), payment={"id": payment_id})
    assert states(await cases_of(shop, payment_id)) in (["resolved"], [])
    await check_books(shop)


async def test_both_have_gone_when_a_hand_was_quicker_than_a_lost_answer(shop: Shop) -> None:
    """Ours was made and its answer lost; one of the same amount was made by hand: two refunds, both in the books."""
    buyer, admin = await new_buyer(shop), await shop.admin()
    order = await buyer.buys(await shop.variant(), 3)
    payment_id = await payment_of(shop, order)
    ours = (await refund(shop, admin, order.id, (1, 1))).value
    by_hand = await shop.http.post(f"/emulator/payments/{payment_id}/refund", json={"amount": ours.amount.amount_minor})
    async with faults(shop, {"kind": "timeout_after", "operation": "refund", "times": 1}):
        await send(shop, ours.id)
    for told in reversed(await _at_gateway(shop, payment_id)):
        await hear(shop, "refund.processed", refund=told, payment={"id": payment_id})
    for told in await _at_gateway(shop, payment_id):
        await hear(shop, "refund.created", refund=told, payment={"id": payment_id})
    assert len(await _at_gateway(shop, payment_id)) == 2
    assert by_hand.json()["id"] in {row["gateway_refund_id"] for row in await refunds_of(shop, payment_id)}
    assert states(await refunds_of(shop, payment_id)) == ["processed", "processed"]
    await check_books(shop)


async def test_a_hand_matched_first_and_our_own_call_acting_after_all_are_two_refunds(shop: Shop) -> None:
    """The worst order: the hand's refund is taken for ours while our call is on its way."""
    buyer, admin = await new_buyer(shop), await shop.admin()
    order = await buyer.buys(await shop.variant(), 3)
    payment_id = await payment_of(shop, order)
    ours = (await refund(shop, admin, order.id, (1, 1))).value
    async with faults(shop, {"kind": "timeout_after", "operation": "refund", "times": 1}):
        await send(shop, ours.id)
    by_hand = await shop.http.post(f"/emulator/payments/{payment_id}/refund", json={"amount": ours.amount.amount_minor})
    await hear(shop, "refund.created", refund=by_hand.json(), payment={"id": payment_id})
    (made,) = [told for told in await _at_gateway(shop, payment_id) if told["receipt"]]
    await hear(shop, "refund.processed", refund=made, payment={"id": payment_id})
    assert states(await refunds_of(shop, payment_id)) == ["processed", "processed"]
    await check_books(shop)
