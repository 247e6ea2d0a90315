"""The payment gateway port on Razorpay."""

import asyncio
import re
from collections.abc import AsyncGenerator
from datetime import datetime
from typing import Any, TypeVar

from kapda.adapters.razorpay.answers import (
    OrderAnswer,
    OrderList,
    PaymentAnswer,
    PaymentList,
    RefundAnswer,
    RefundList,
    read_answer,
)
from kapda.adapters.razorpay.errors import ApiError, NoAnswerError, NotSentError
from kapda.adapters.razorpay.listing import PAGE, all_pages, back_in_time
from kapda.adapters.razorpay.pool import Call, CallPool, RazorpayAccess
from kapda.domain.payments.gateway import (
    GatewayNotAskedError,
    GatewayOrder,
    GatewayOrderRequest,
    GatewayPayment,
    GatewayRefund,
    GatewayRefundRequest,
    GatewayRefusedError,
    GatewayUnknownError,
)
from kapda.domain.shared.money import Money

T = TypeVar("T")

# Ids go into the path of an address, and some come from browsers: nothing but an id may pass.
_ORDER_ID = re.compile(r"order_[A-Za-z0-9]{1,40}")
_PAYMENT_ID = re.compile(r"pay_[A-Za-z0-9]{1,40}")
_REFUND_ID = re.compile(r"rfnd_[A-Za-z0-9]{1,40}")
# The longest Razorpay lets a payment stay authorised before it gives the money back.
_MANUAL_CAPTURE_MINUTES = 7200


class RazorpayGateway:
    """PaymentGateway through the official SDK, which writes into the dicts it is given: each call gets a fresh one."""

    def __init__(self, access: RazorpayAccess) -> None:
        # Apart, so that checkouts that cannot be opened keep nobody waiting who has paid.
        self._pool = CallPool(access)
        self._opening = CallPool(access)

    async def create_order(self, request: GatewayOrderRequest) -> GatewayOrder:
        """Opens an order; where the receipt has one already, that one is the answer if it asks for the same amount."""
        try:
            made = await self._ask(lambda client: client.order.create(_order_body(request)), OrderAnswer, self._opening)
        except ApiError as error:
            if error.is_used_receipt:
                return await self._adopt(request, error)
            raise _refused(error) from error
        order = made.to_domain()
        if (order.amount, order.receipt) != (request.amount, request.receipt):
            raise GatewayUnknownError(f"order {order.id} was made with another amount or receipt")
        return order

    async def find_order(self, receipt: str) -> GatewayOrder | None:
        """Looks the receipt up in the list of orders, which may lag."""
        query = {"receipt": receipt, "count": PAGE}
        try:
            found = await self._ask(lambda client: client.order.all(query), OrderList, self._opening)
        except ApiError as error:
            raise _refused(error) from error
        matching = [order for order in found.items if order.receipt == receipt]
        newest = max(matching, key=lambda order: order.created_at, default=None)
        return None if newest is None else newest.to_domain()

    async def fetch_order(self, order_id: str) -> GatewayOrder | None:
        """Fetches by id."""
        if not _ORDER_ID.fullmatch(order_id):
            return None
        found = await self._fetch(lambda client: client.order.fetch(order_id, {}), OrderAnswer)
        if found is not None and found.id != order_id:
            raise GatewayUnknownError(f"asked for {order_id}, got {found.id}")
        return None if found is None else found.to_domain()

    async def fetch_payment(self, payment_id: str) -> GatewayPayment | None:
        """Fetches by id."""
        if not _PAYMENT_ID.fullmatch(payment_id):
            return None
        found = await self._fetch(lambda client: client.payment.fetch(payment_id, {}), PaymentAnswer)
        return None if found is None else _same_payment(payment_id, found)

    async def payments_of_order(self, order_id: str) -> tuple[GatewayPayment, ...]:
        """Fetches the order's payments; an unknown order has none. The call is not paged as far as it is documented."""
        if not _ORDER_ID.fullmatch(order_id):
            return ()
        found = await self._fetch(lambda client: client.order.payments(order_id, {}), PaymentList)
        if found is None:
            return ()
        if any(payment.order_id != order_id for payment in found.items):
            raise GatewayUnknownError(f"asked for the payments of {order_id}, got another order's")
        return tuple(payment.to_domain() for payment in found.items)

    async def capture(self, payment_id: str, amount: Money) -> GatewayPayment:
        """Captures; after a refusal the payment itself is asked: the first of two calls may have captured it."""
        if not _PAYMENT_ID.fullmatch(payment_id):
            raise GatewayRefusedError(400, "BAD_REQUEST_ERROR", "not a payment's id", reason=None, field=None)
        minor, currency = amount.amount_minor, amount.currency
        try:
            answer = await self._ask(
                lambda client: client.payment.capture(payment_id, minor, {"currency": currency}), PaymentAnswer
            )
        except ApiError as error:
            payment = await self.fetch_payment(payment_id)
            if payment is not None and payment.captured and payment.amount == amount:
                return payment
            raise _refused(error) from error
        return _same_payment(payment_id, answer)

    async def refund(self, request: GatewayRefundRequest) -> GatewayRefund:
        """Refunds under the reference as idempotency key, which makes the same request again the same refund."""
        if not _PAYMENT_ID.fullmatch(request.payment_id):
            raise GatewayRefusedError(400, "BAD_REQUEST_ERROR", "not a payment's id", reason=None, field=None)
        try:
            answer = await self._ask(
                lambda client: client.payment.refund(
                    request.payment_id, _refund_body(request), headers={"X-Refund-Idempotency": request.reference}
                ),
                RefundAnswer,
            )
        except ApiError as error:
            if error.says_nothing_of_the_refund:
                raise GatewayUnknownError(f"refund not judged: HTTP {error.status}") from error
            raise _refused(error) from error
        refund = answer.to_domain()
        if (refund.payment_id, refund.amount) != (request.payment_id, request.amount):
            raise GatewayUnknownError(f"refund {refund.id} is of another payment or amount")
        return refund

    async def fetch_refund(self, refund_id: str) -> GatewayRefund | None:
        """Fetches by id."""
        if not _REFUND_ID.fullmatch(refund_id):
            return None
        found = await self._fetch(lambda client: client.refund.fetch(refund_id, {}), RefundAnswer)
        return None if found is None else found.to_domain()

    async def refunds_of_payment(self, payment_id: str) -> tuple[GatewayRefund, ...]:
        """Fetches the payment's refunds, page by page; an unknown payment has none."""
        if not _PAYMENT_ID.fullmatch(payment_id):
            return ()

        async def page_at(skip: int) -> list[RefundAnswer]:
            query = {"count": PAGE, "skip": skip}
            answer = await self._fetch(
                lambda client: client.payment.fetch_multiple_refund(payment_id, query), RefundList
            )
            return answer.items if answer is not None else []

        refunds = await all_pages(page_at)
        return tuple(refund.to_domain() for refund in refunds if refund.payment_id == payment_id)

    async def payments_since(
        self, since: datetime, until: datetime
    ) -> AsyncGenerator[tuple[GatewayPayment, ...], None]:
        """Reads the account's list of payments, page by page and newest first."""
        # Whether these ends belong to what is asked for is not documented: a second more costs nothing.
        earliest, latest = int(since.timestamp()) - 1, int(until.timestamp()) + 1

        async def page_at(to: int, skip: int) -> list[PaymentAnswer]:
            query = {"from": earliest, "to": to, "count": PAGE, "skip": skip}
            try:
                return (await self._ask(lambda client: client.payment.all(query), PaymentList)).items
            except ApiError as error:
                raise _refused(error) from error

        async for page in back_in_time(page_at, latest):
            yield tuple(payment.to_domain() for payment in page)

    async def close(self) -> None:
        """Waits for the calls under way and closes the connections."""
        await asyncio.gather(self._pool.close(), self._opening.close())

    async def _adopt(self, request: GatewayOrderRequest, error: ApiError) -> GatewayOrder:
        found = await self.fetch_order(error.order_id) if error.order_id else await self.find_order(request.receipt)
        if found is None or found.receipt != request.receipt:
            raise GatewayUnknownError("the receipt is used by an order that cannot be found yet")
        if found.amount != request.amount:
            raise _refused(error) from error
        return found

    async def _fetch(self, call: Call[Any], shape: type[T]) -> T | None:
        try:
            return await self._ask(call, shape)
        except ApiError as error:
            if error.is_unknown_id:
                return None
            raise _refused(error) from error

    async def _ask(self, call: Call[Any], shape: type[T], pool: CallPool | None = None) -> T:
        try:
            return read_answer(await (pool or self._pool).run(call), shape)
        except NotSentError as error:
            raise GatewayNotAskedError(str(error)) from error
        except NoAnswerError as error:
            raise GatewayUnknownError(str(error)) from error


def _refund_body(request: GatewayRefundRequest) -> dict[str, object]:
    return {"amount": request.amount.amount_minor, "speed": "normal", "receipt": request.reference}


def _order_body(request: GatewayOrderRequest) -> dict[str, object]:
    return {
        "amount": request.amount.amount_minor,
        "currency": request.amount.currency,
        "receipt": request.receipt,
        "notes": dict(request.notes),
        "payment": {
            "capture": "automatic",
            "capture_options": {
                "automatic_expiry_period": request.capture_minutes,
                "manual_expiry_period": _MANUAL_CAPTURE_MINUTES,
                "refund_speed": "normal",
            },
        },
    }


def _same_payment(payment_id: str, found: PaymentAnswer) -> GatewayPayment:
    if found.id != payment_id:
        raise GatewayUnknownError(f"asked for {payment_id}, got {found.id}")
    return found.to_domain()


def _refused(error: ApiError) -> GatewayRefusedError:
    return GatewayRefusedError(error.status, error.code, error.description, reason=error.reason, field=error.field)
