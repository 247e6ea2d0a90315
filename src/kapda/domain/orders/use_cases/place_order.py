"""The browser comes back from paying: the first of the finisher's doors."""

from collections.abc import Callable
from dataclasses import dataclass

from kapda.domain.checkout.checkout import Checkout, checkout_not_found
from kapda.domain.orders.order import Order
from kapda.domain.orders.ports import OrderUnitOfWork
from kapda.domain.orders.use_cases.finish_payment import Ending, Finished, FinishPayment, FinishPaymentCommand
from kapda.domain.payments.payment_case import Resolution
from kapda.domain.payments.ports import CheckoutSignatures
from kapda.domain.shared.errors import DomainError, FailedPreconditionError, InvalidArgumentError, Reason
from kapda.domain.shared.fingerprint import fingerprint
from kapda.domain.shared.ids import CheckoutId, RequestId, UserId
from kapda.domain.shared.request_log import Answer, RequestKey


@dataclass(frozen=True, slots=True)
class PlaceOrderCommand:
    """The three fields the gateway's page handed to the browser, for one of the customer's checkouts."""

    customer_id: UserId
    request_id: RequestId
    checkout_id: CheckoutId
    gateway_payment_id: str
    gateway_order_id: str
    signature: str


@dataclass(frozen=True, slots=True)
class PlaceOrder:
    """The order of a paid checkout, placed now or found.

    The signature is checked against the gateway order that this checkout was opened with, so that a valid triple of
    another order is worth nothing here; then the gateway itself is asked.

    Raises NotFoundError (CHECKOUT_NOT_FOUND), InvalidArgumentError (PAYMENT_SIGNATURE_INVALID, REQUEST_ID_REUSED),
    FailedPreconditionError (PAYMENT_NOT_CAPTURED, PAYMENT_MISMATCH, PAYMENT_REFUNDED,
    PAYMENT_UNDER_REVIEW) and GatewayUnknownError.
    """

    unit_of_work: Callable[[], OrderUnitOfWork]
    reads: Callable[[], OrderUnitOfWork]
    signatures: CheckoutSignatures
    finish_payment: FinishPayment

    async def execute(self, command: PlaceOrderCommand) -> Answer[Order]:
        """The order, or why there is none."""
        key = RequestKey(
            command.customer_id,
            "PlaceOrder",
            command.request_id,
            fingerprint(command.checkout_id, command.gateway_payment_id, command.gateway_order_id, command.signature),
        )
        async with self.reads() as uow:
            checkout = await uow.checkouts.get(command.checkout_id, command.customer_id)
        if checkout is None:
            raise checkout_not_found(command.checkout_id)
        self._check_signature(command, checkout)
        if checkout.order_id is not None:
            found = await self._already_placed(key, checkout, command.gateway_payment_id)
            if found is not None:
                return found
        finished = await self.finish_payment.execute(
            FinishPaymentCommand(command.gateway_payment_id, f"customer {command.customer_id}", checkout, key)
        )
        if finished.order is None:
            raise _no_order(command, finished)
        return Answer(finished.order, replayed=finished.replayed)

    def _check_signature(self, command: PlaceOrderCommand, checkout: Checkout) -> None:
        stored = checkout.gateway_order_id
        if (
            stored is None
            or command.gateway_order_id != stored
            or not self.signatures.is_valid(stored, command.gateway_payment_id, command.signature)
        ):
            raise InvalidArgumentError.for_field(
                "razorpay_signature",
                "does not prove a payment of this checkout",
                Reason.PAYMENT_SIGNATURE_INVALID,
            )

    async def _already_placed(
        self, key: RequestKey, checkout: Checkout, gateway_payment_id: str
    ) -> Answer[Order] | None:
        """The order that another door placed for this payment: the gateway need not be asked again."""
        async with self.unit_of_work() as uow:
            earlier = await uow.requests.claim(key, Order, checkout.id)
            if earlier is not None and earlier.answer is not None:
                return Answer(earlier.answer, replayed=True)
            payment = await uow.payments.by_gateway_id(gateway_payment_id)
            if payment is None or payment.order_id != checkout.order_id:
                return None
            order = await uow.orders.of_checkout(checkout.id)
            if order is None:
                return None
            await uow.requests.answer(key, order)
            await uow.commit()
        return Answer(order)


def _no_order(command: PlaceOrderCommand, finished: Finished) -> DomainError:
    metadata = {"checkout_id": str(command.checkout_id), "razorpay_payment_id": command.gateway_payment_id}
    if finished.ending is Ending.CASE and finished.case is not None:
        case = finished.case
        metadata |= {"case_id": str(case.id), "case_kind": case.kind.value}
        if case.resolution is Resolution.REFUND:
            return FailedPreconditionError(
                Reason.PAYMENT_REFUNDED,
                "the payment was received, and could not become an order; it is on its way back",
                metadata=metadata,
            )
        return FailedPreconditionError(
            Reason.PAYMENT_UNDER_REVIEW,
            "the payment was received, and could not become an order; it is being looked into",
            metadata=metadata,
        )
    return FailedPreconditionError(Reason.PAYMENT_NOT_CAPTURED, "the payment has not been captured", metadata=metadata)
