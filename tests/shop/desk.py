"""What customers, admins and the worker do about money that goes back, and somebody at the gateway's dashboard."""

import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

from kapda.domain.identity.principal import Principal
from kapda.domain.identity.user import Role
from kapda.domain.orders.order import Order
from kapda.domain.orders.reversal import LineQuantity
from kapda.domain.orders.use_cases.cancel_order import CancelOrderCommand
from kapda.domain.orders.use_cases.process_gateway_event import ProcessGatewayEventCommand
from kapda.domain.orders.use_cases.refund_order import RefundOrderCommand
from kapda.domain.orders.use_cases.resolve_case import ResolveCaseCommand
from kapda.domain.orders.use_cases.send_refund import SendRefundCommand
from kapda.domain.orders.use_cases.settle_checkout import SettleCheckoutCommand
from kapda.domain.payments.payment_case import PaymentCase, Resolution
from kapda.domain.payments.refund import Refund
from kapda.domain.payments.use_cases.receive_gateway_event import ReceiveGatewayEventCommand
from kapda.domain.shared.errors import UnavailableError
from kapda.domain.shared.ids import CaseId, CheckoutId, OrderId, RefundId, RequestId, SessionId, SigningKeyId, UserId
from kapda.domain.shared.money import Money
from kapda.domain.shared.request_log import Answer
from kapda.domain.shared.request_proof import RequestProof
from tests.shop.shop import Row, Shop, new_request, signed


def customer(user: UserId) -> Principal:
    """The customer, signed in."""
    return Principal(user, Role.CUSTOMER, SessionId(uuid4()))


async def cancel(
    shop: Shop,
    who: Principal,
    order: OrderId,
    request_id: RequestId | None = None,
    proof: RequestProof | None = None,
) -> Answer[Order]:
    """Call the order off; an admin signs it."""
    signature = proof or (a_proof(who) if who.role is Role.ADMIN else None)
    command = CancelOrderCommand(who, signature, request_id or new_request(), order, "changed my mind")
    return await shop.door().cancel_order().execute(command)


def a_proof(admin: Principal) -> RequestProof:
    """That the admin signed, under a nonce of its own; the shop gives every admin a signing key of the same id."""
    return RequestProof(SigningKeyId(admin.user_id), uuid4().hex, datetime.now(UTC))


async def refund(
    shop: Shop,
    admin: Principal,
    order: OrderId,
    *pieces: tuple[int, int],
    shipping: Money | None = None,
    restock: bool = False,
    request_id: RequestId | None = None,
    proof: RequestProof | None = None,
) -> Answer[Refund]:
    """Send back so many pieces of lines by their positions."""
    command = RefundOrderCommand(
        admin,
        proof or a_proof(admin),
        request_id or new_request(),
        order,
        tuple(LineQuantity(position, quantity) for position, quantity in pieces),
        shipping or Money.zero(),
        restock,
        "arrived torn",
    )
    return await shop.door().refund_order().execute(command)


async def resolve(
    shop: Shop, admin: Principal, case: UUID, resolution: Resolution, request_id: RequestId | None = None
) -> Answer[PaymentCase]:
    """End the case."""
    command = ResolveCaseCommand(
        admin, a_proof(admin), request_id or new_request(), CaseId(case), resolution, "as agreed by phone"
    )
    return await shop.door().resolve_case().execute(command)


async def send(shop: Shop, refund_id: UUID) -> None:
    """The refund's job runs once; a gateway that does not answer is for the next time."""
    with suppress(UnavailableError):
        await shop.door().send_refund().execute(SendRefundCommand(RefundId(refund_id)))


async def refunds_of(shop: Shop, payment_id: str) -> list[Row]:
    """Our refunds of the gateway's payment, oldest first."""
    return await shop.sql(
        """SELECT r.* FROM refunds r JOIN payments p ON p.id = r.payment_id WHERE p.gateway_payment_id = :id
           ORDER BY r.id""",
        id=payment_id,
    )


async def cases_of(shop: Shop, payment_id: str) -> list[Row]:
    """The cases of the gateway's payment, oldest first."""
    return await shop.sql("SELECT * FROM payment_cases WHERE gateway_payment_id = :id ORDER BY id", id=payment_id)


async def payment_of(shop: Shop, order: Order) -> str:
    """The order's payment by its name at the gateway."""
    (row,) = await shop.sql("SELECT gateway_payment_id FROM payments WHERE id = :id", id=order.payment_id)
    return str(row["gateway_payment_id"])


async def send_due(shop: Shop, times: int = 1) -> None:
    """Every refund under way falls due and its job runs."""
    for _ in range(times):
        for row in await shop.sql("SELECT id FROM refunds WHERE next_look_at IS NOT NULL ORDER BY id"):
            await send(shop, row["id"])


async def poll(shop: Shop, *checkouts: CheckoutId) -> None:
    """What the worker does by itself when these checkouts and all refunds fall due: no webhook, no job's wake-up."""
    for checkout in checkouts:
        await shop.door().settle_checkout().execute(SettleCheckoutCommand(checkout))
    await shop.door().sweep_recent_payments().execute()
    await send_due(shop)


async def run_out(shop: Shop, checkout: CheckoutId) -> None:
    """An hour passes for the checkout; the poller gives its hold back."""
    await shop.sql(
        """UPDATE checkouts SET created_at = created_at - interval '1 hour', pay_before = pay_before - interval '1 hour',
           hold_until = hold_until - interval '1 hour' WHERE id = :id""",
        id=checkout,
    )
    await shop.door().settle_checkout().execute(SettleCheckoutCommand(checkout))


async def by_hand(shop: Shop, payment_id: str, amount: int | None = None) -> str:
    """Somebody refunds at the dashboard; the refund's id there."""
    body = {"amount": amount} if amount is not None else {}
    answer = await shop.http.post(f"/emulator/payments/{payment_id}/refund", json=body)
    return str(answer.raise_for_status().json()["id"])


async def bank_says(shop: Shop, refund_id: str, verb: str) -> None:
    """A pending refund ends at the gateway: `process` or `fail`."""
    (await shop.http.post(f"/emulator/refunds/{refund_id}/{verb}")).raise_for_status()


async def hear(shop: Shop, event: str, **entities: dict[str, Any]) -> None:
    """A webhook comes in and is worked on; `entities` are its payload."""
    body = json.dumps({"event": event, "payload": {name: {"entity": entity} for name, entity in entities.items()}})
    door = shop.door()
    stored = await door.receive_gateway_event().execute(ReceiveGatewayEventCommand(*signed(body.encode())))
    await door.process_gateway_event().execute(ProcessGatewayEventCommand(stored.id))


@asynccontextmanager
async def faults(shop: Shop, *armed: dict[str, Any]) -> AsyncIterator[None]:
    """The emulator misbehaves so until the block ends."""
    (await shop.http.put("/emulator/faults", json=list(armed))).raise_for_status()
    try:
        yield
    finally:
        (await shop.http.delete("/emulator/faults")).raise_for_status()


@dataclass(frozen=True, slots=True)
class Sums:
    """Where the captured money of our checkouts is, in paise."""

    captured: int
    on_orders: int
    refunds: int
    in_cases: int
    written_off: int

    @property
    def found(self) -> int:
        """All that is accounted for."""
        return self.on_orders + self.refunds + self.in_cases + self.written_off


_SUMS = """
    SELECT (SELECT coalesce(sum(amount_minor), 0) FROM payments) AS captured,
        (SELECT coalesce(sum(total_minor), 0) FROM orders)
            - (SELECT coalesce(sum(amount_minor), 0) FROM order_reversal_lines)
            - (SELECT coalesce(sum(shipping_minor), 0) FROM order_reversals) AS on_orders,
        (SELECT coalesce(sum(refund_reserved_minor), 0) FROM payments) AS refunds,
        (SELECT coalesce(-sum(amount_minor), 0) FROM ledger_entries
         WHERE account IN ('unassigned_receipts', 'refund_adjustments')) AS in_cases,
        (SELECT coalesce(-sum(amount_minor), 0) FROM ledger_entries WHERE account = 'write_offs') AS written_off
"""


async def sums_of(shop: Shop) -> Sums:
    """By kapda's own books."""
    (row,) = await shop.sql(_SUMS)
    return Sums(**{name: int(value) for name, value in row.items()})


async def check_books(shop: Shop) -> Sums:
    """Every promise holds, and kapda's books are the gateway's to the paisa: captured = orders + refunds + open cases.

    `in_cases` is money nobody has decided about, less what went back of orders by a hand nobody has assigned yet.
    """
    await shop.check_promises()
    books = await shop.books()
    foreign = await _foreign(shop, books)
    noted = {row["gateway_payment_id"] for row in await shop.sql("SELECT gateway_payment_id FROM foreign_payments")}
    assert noted <= foreign, "a payment of ours is noted as somebody else's"
    captured = {payment["id"]: payment for payment in books["payments"] if payment["captured"]}
    sums = await sums_of(shop)
    assert sums.captured == sum(p["amount"] for key, p in captured.items() if key not in foreign)
    assert sums.captured == sums.found
    theirs = {
        refund["id"]: (refund["amount"], refund["status"])
        for refund in books["refunds"]
        if refund["payment_id"] in captured.keys() - foreign
    }
    ours = {
        row["gateway_refund_id"]: (row["amount_minor"], row["state"])
        for row in await shop.sql("SELECT * FROM refunds WHERE gateway_refund_id IS NOT NULL")
    }
    assert ours == theirs
    return sums


async def _foreign(shop: Shop, books: Row) -> set[str]:
    """The payments whose orders at the gateway name no checkout of ours, and that no checkout names: none of our money."""
    checkouts = await shop.sql("SELECT CAST(id AS text) AS id, gateway_order_id FROM checkouts")
    named, stored = ({str(row[column]) for row in checkouts} for column in ("id", "gateway_order_id"))
    our_orders = {order["id"] for order in books["orders"] if order["receipt"] in named or order["id"] in stored}
    return {payment["id"] for payment in books["payments"] if payment["order_id"] not in our_orders}


def states(rows: Sequence[Row]) -> list[str]:
    """The states of rows."""
    return [str(row["state"]) for row in rows]
