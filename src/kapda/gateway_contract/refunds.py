"""Refunds: they need a captured payment, so a customer."""

from typing import Any, Final

from kapda.domain.payments.gateway import GatewayRefundRequest, GatewayRefundState, GatewayRefusedError
from kapda.domain.shared.money import INR, Money
from kapda.gateway_contract.check import Check, ContractBrokenError, expect, expect_equal
from kapda.gateway_contract.subject import Subject

_HEADER: Final = "X-Refund-Idempotency"


def _keyed(key: str) -> dict[str, Any]:
    return {_HEADER: key}


async def _shape(at: Subject) -> None:
    _, _, payment_id = await at.paid()
    raw = await at.post(f"/payments/{payment_id}/refund", {"amount": 100, "receipt": "r"}, **_keyed(at.new_receipt()))
    expect(raw["id"].startswith("rfnd_"), "a refund's id begins with rfnd_")
    for member, wanted in {
        "entity": "refund",
        "amount": 100,
        "currency": "INR",
        "payment_id": payment_id,
        "receipt": "r",
    }.items():
        expect_equal(raw[member], wanted, f"a refund's {member}")
    expect(raw["status"] in {state.value for state in GatewayRefundState}, f"a known status, not {raw['status']}")
    payment = await at.get(f"/payments/{payment_id}")
    expect_equal(
        (payment["status"], payment["captured"], payment["amount_refunded"], payment["refund_status"]),
        ("refunded", True, 100, "full"),
        "the refunded payment",
    )


async def _once_a_key(at: Subject) -> None:
    _, _, payment_id = await at.paid()
    path, key = f"/payments/{payment_id}/refund", _keyed(at.new_receipt())
    first = await at.post(path, {"amount": 100}, **key)
    expect_equal((await at.post(path, {"amount": 100}, **key))["id"], first["id"], "the same key's refund")
    status, error = await at.refused("POST", path, {"amount": 100, "receipt": "other"}, **key)
    expect_equal((status, error["code"]), (409, "BAD_REQUEST_ERROR"), "the same key with another body")
    listed = await at.get(f"/payments/{payment_id}/refunds")
    expect_equal([refund["id"] for refund in listed["items"]], [first["id"]], "the payment's refunds")


async def _bad_key(at: Subject) -> None:
    _, _, payment_id = await at.paid()
    status, _ = await at.refused("POST", f"/payments/{payment_id}/refund", {"amount": 100}, **_keyed("short"))
    expect_equal(status, 400, "the status of a key of five characters")


async def _bounded(at: Subject) -> None:
    _, _, payment_id = await at.paid()
    path = f"/payments/{payment_id}/refund"
    status, _ = await at.refused("POST", path, {"amount": 101}, **_keyed(at.new_receipt()))
    expect_equal(status, 400, "the status of refunding more than was captured")
    await at.post(path, {}, **_keyed(at.new_receipt()))
    status, _ = await at.refused("POST", path, {"amount": 100}, **_keyed(at.new_receipt()))
    expect_equal(status, 400, "the status of refunding what is refunded already")
    _, _, held = await at.paid("authorize_only")
    status, _ = await at.refused("POST", f"/payments/{held}/refund", {"amount": 100}, **_keyed(at.new_receipt()))
    expect_equal(status, 400, "the status of refunding what is not captured")


async def _through_the_port(at: Subject) -> None:
    _, _, payment_id = await at.paid()
    request = GatewayRefundRequest(payment_id=payment_id, amount=Money(100, INR), reference=at.new_receipt())
    refund = await at.gateway.refund(request)
    expect_equal((refund.payment_id, refund.amount), (payment_id, request.amount), "the refund's payment and amount")
    expect_equal(refund.receipt, request.reference, "the refund's receipt")
    again = await at.gateway.refund(request)
    expect_equal(again.id, refund.id, "the same request again")
    listed = await at.gateway.refunds_of_payment(payment_id)
    expect_equal([found.id for found in listed], [refund.id], "the payment's refunds")
    fetched = await at.gateway.fetch_refund(refund.id)
    expect_equal(fetched and fetched.id, refund.id, "the refund fetched by its id")
    payment = await at.gateway.fetch_payment(payment_id)
    expect(payment is not None and payment.captured, "captured stays true after a refund")
    try:
        await at.gateway.refund(
            GatewayRefundRequest(payment_id=payment_id, amount=Money(100, INR), reference=at.new_receipt())
        )
    except GatewayRefusedError as refused:
        expect_equal(refused.status, 400, "the status of a second full refund")
    else:
        raise ContractBrokenError("expected: a second full refund is refused")


CHECKS: Final = (
    Check("a refund has its shape and changes its payment", _shape, needs_customer=True),
    Check("one refund an idempotency key, 409 for another body", _once_a_key, needs_customer=True),
    Check("an idempotency key has at least ten characters", _bad_key, needs_customer=True),
    Check("refunds never exceed what was captured", _bounded, needs_customer=True),
    Check("a refund through the port happens once a reference", _through_the_port, needs_customer=True),
)
