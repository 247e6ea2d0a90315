"""Buying, sending back and deciding on the fakes, with the fewest words."""

from uuid import UUID, uuid4

from kapda.domain.identity.principal import Principal
from kapda.domain.identity.user import Role
from kapda.domain.orders.order import Order
from kapda.domain.orders.reversal import LineQuantity
from kapda.domain.orders.use_cases.cancel_order import CancelOrderCommand
from kapda.domain.orders.use_cases.refund_order import RefundOrderCommand
from kapda.domain.orders.use_cases.resolve_case import ResolveCase, ResolveCaseCommand
from kapda.domain.orders.use_cases.send_refund import SendRefundCommand
from kapda.domain.payments.payment_case import PaymentCase, Resolution
from kapda.domain.payments.refund import Refund
from kapda.domain.shared.ids import CaseId, OrderId, RefundId, RequestId, SessionId, SigningKeyId, UserId
from kapda.domain.shared.money import Money
from kapda.domain.shared.request_log import Answer
from kapda.domain.shared.request_proof import RequestProof
from tests.fakes.samples import ASHA, NOON
from tests.fakes.shop import Shop

ADMIN = Principal(UserId(UUID(int=0xAD)), Role.ADMIN, SessionId(UUID(int=1)))
NO_ORDER, NO_CASE = OrderId(UUID(int=0xBAD)), CaseId(UUID(int=0xBAD))


def a_proof() -> RequestProof:
    """That the admin signed, under a nonce of its own."""
    return RequestProof(SigningKeyId(UUID(int=0x51)), uuid4().hex, NOON)


def customer(user: UserId = ASHA) -> Principal:
    return Principal(user, Role.CUSTOMER, SessionId(UUID(int=2)))


async def bought(shop: Shop, quantity: int = 1, pieces: int = 10) -> Order:
    """An order with its money in."""
    checkout = await shop.check_out_one(pieces=pieces, quantity=quantity)
    payment = shop.gateway.pay(checkout.gateway_order_id or "")
    return (await shop.place_order.execute(shop.coming_back(checkout, payment))).value


async def cancel(
    shop: Shop,
    order: OrderId,
    who: Principal | None = None,
    request: RequestId | None = None,
    *,
    reason: str = "too big",
    proof: RequestProof | None = None,
) -> Answer[Order]:
    """Unsigned, unless a proof comes."""
    command = CancelOrderCommand(who or customer(), proof, request or shop.new_request(), order, reason)
    return await shop.cancel_order.execute(command)


async def refund(
    shop: Shop,
    order: OrderId,
    *lines: tuple[int, int],
    shipping: Money | None = None,
    restock: bool = False,
    request: RequestId | None = None,
    proof: RequestProof | None = None,
) -> Answer[Refund]:
    wanted = tuple(LineQuantity(position, quantity) for position, quantity in lines)
    command = RefundOrderCommand(
        ADMIN,
        proof or a_proof(),
        request or shop.new_request(),
        order,
        wanted,
        shipping or Money.zero(),
        restock,
        "torn",
    )
    return await shop.refund_order.execute(command)


async def resolve(
    shop: Shop,
    case: CaseId,
    how: Resolution,
    request: RequestId | None = None,
    reason: str = "as agreed",
) -> Answer[PaymentCase]:
    uow = shop.database.unit_of_work
    use_case = ResolveCase(uow, shop.finish_payment.bookkeeper, shop.refunder, shop.clock, shop.ids)
    return await use_case.execute(
        ResolveCaseCommand(ADMIN, a_proof(), request or shop.new_request(), case, how, reason)
    )


async def send(shop: Shop, refund_id: RefundId) -> None:
    await shop.send_refund.execute(SendRefundCommand(refund_id))


def balance(shop: Shop, account: str) -> int:
    """The account's balance in paise, debits positive."""
    entries = (entry for booked in shop.tables.ledger for entry in booked.entries)
    return sum(entry.amount.amount_minor for entry in entries if entry.account.value == account)
