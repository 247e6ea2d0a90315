"""Payments: what kapda reads of them, and what it does with them."""

from datetime import UTC, datetime, timedelta
from typing import Final

from kapda.domain.payments.gateway import GatewayPaymentState, GatewayRefusedError
from kapda.domain.shared.money import INR, Money
from kapda.gateway_contract.check import Check, ContractBrokenError, expect, expect_equal
from kapda.gateway_contract.subject import PRICE, Subject

_READ_AT_MOST: Final = 10


async def _account_is_read(at: Subject) -> str:
    """Whatever payments there are, the adapter must be able to read them."""
    if at.customer is not None:
        await at.paid()
    items = (await at.get("/payments", count=_READ_AT_MOST))["items"]
    for raw in items:
        payment = await at.gateway.fetch_payment(raw["id"])
        expect(payment is not None, f"{raw['id']} of the list can be fetched")
        if payment is not None:
            found = (payment.state.value, payment.amount.amount_minor, payment.order_id, payment.captured)
            wanted = (raw["status"], raw["amount"], raw["order_id"], raw["captured"])
            expect_equal(found, wanted, f"what is read of {raw['id']}")
    return f"{len(items)} payments read" if items else "the account has no payments to read"


async def _recent(at: Subject) -> None:
    now = datetime.now(UTC)
    async for page in at.gateway.payments_since(now - timedelta(minutes=10), now + timedelta(minutes=1)):
        expect(all(payment.id.startswith("pay_") for payment in page), "recent payments have payments' ids")
        times = [payment.created_at for payment in page]
        expect(times == sorted(times, reverse=True), "recent payments come newest first")


async def _captured(at: Subject) -> None:
    order, answer, payment_id = await at.paid()
    expect_equal(answer["razorpay_order_id"], order.id, "the order of the browser's triple")
    signature = answer["razorpay_signature"]
    expect(at.checkout_signatures.is_valid(order.id, payment_id, signature), "the browser's signature fits")
    other = await at.order()
    expect(not at.checkout_signatures.is_valid(other.id, payment_id, signature), "it fits no other order")
    payment = await at.gateway.fetch_payment(payment_id)
    if payment is None:
        raise ContractBrokenError("expected: the payment exists")
    expect_equal((payment.state, payment.captured), (GatewayPaymentState.CAPTURED, True), "the payment's state")
    expect_equal((payment.order_id, payment.amount), (order.id, PRICE), "the payment's order and amount")
    raw = await at.get(f"/orders/{order.id}")
    expect_equal((raw["status"], raw["amount_paid"], raw["amount_due"]), ("paid", 100, 0), "the paid order")


async def _failed(at: Subject) -> None:
    order, answer, payment_id = await at.paid("failure")
    expect(bool(answer["error"]["reason"]), "the browser hears a reason")
    (payment,) = await at.gateway.payments_of_order(order.id)
    expect_equal((payment.id, payment.state), (payment_id, GatewayPaymentState.FAILED), "the try that failed")
    await at.payer.pay(order.id, "success")
    states = {payment.state for payment in await at.gateway.payments_of_order(order.id)}
    expect_equal(states, {GatewayPaymentState.FAILED, GatewayPaymentState.CAPTURED}, "the states of both tries")


async def _revived(at: Subject) -> None:
    _, _, payment_id = await at.paid("failure")
    await at.payer.authorize_late(payment_id)
    payment = await at.gateway.fetch_payment(payment_id)
    expect(payment is not None and payment.state is not GatewayPaymentState.FAILED, "failed is not final")


async def _capture(at: Subject) -> None:
    _, _, payment_id = await at.paid("authorize_only")
    try:
        await at.gateway.capture(payment_id, Money(101, INR))
    except GatewayRefusedError as refused:
        expect_equal(refused.status, 400, "the status of capturing another amount")
    else:
        raise ContractBrokenError("expected: another amount cannot be captured")
    first = await at.gateway.capture(payment_id, PRICE)
    expect_equal((first.state, first.captured), (GatewayPaymentState.CAPTURED, True), "the captured payment")
    status, _ = await at.refused("POST", f"/payments/{payment_id}/capture", {"amount": 100, "currency": "INR"})
    expect_equal(status, 400, "the status of a second capture")
    expect_equal(await at.gateway.capture(payment_id, PRICE), first, "the second capture through the port")


CHECKS: Final = (
    Check("the account's payments can be read", _account_is_read),
    Check("recent payments can be listed", _recent),
    Check("a paid order: captured, signed, paid in full", _captured, needs_customer=True),
    Check("a failed try is listed and leaves the order open", _failed, needs_customer=True),
    Check("a failed payment may still be authorised", _revived, needs_customer=True),
    Check("held money is captured once, for its exact amount", _capture, needs_customer=True),
)
