"""OrderService."""

# The contract names the methods, and grpc hands every one the same parameters.
# ruff: noqa: N802, ARG002

from uuid import UUID

from kapda.api.orders.v1 import order_service_pb2 as pb
from kapda.api.orders.v1.order_service_pb2_grpc import OrderServiceServicer
from kapda.domain.orders.order import Order, OrderSummary
from kapda.domain.orders.reversal import LineQuantity
from kapda.domain.orders.use_cases.cancel_order import CancelOrderCommand
from kapda.domain.orders.use_cases.get_order import GetOrderCommand
from kapda.domain.orders.use_cases.list_orders import ListOrdersCommand
from kapda.domain.orders.use_cases.list_refunds import ListRefundsCommand
from kapda.domain.orders.use_cases.place_order import PlaceOrderCommand
from kapda.domain.orders.use_cases.refund_order import RefundOrderCommand
from kapda.domain.payments.refund import Refund
from kapda.domain.shared.ids import CheckoutId, OrderId, RequestId
from kapda.domain.shared.money import INR, Money
from kapda.domain.shared.pages import Page
from kapda.domain.shared.request_log import Answer
from kapda.entrypoints.grpc.call import Context, caller, proof, proof_of_some, value_of
from kapda.entrypoints.grpc.page_tokens import PageTokens
from kapda.entrypoints.grpc.translate.orders import order_to_proto, refund_to_proto, summary_to_proto
from kapda.entrypoints.supervisor import Supervisor
from kapda.entrypoints.use_case import UseCase


class OrderServicer(OrderServiceServicer):
    """The caller's orders. Placing, cancelling and refunding move money, so they do not end with their caller."""

    def __init__(
        self,
        *,
        place_order: UseCase[PlaceOrderCommand, Answer[Order]],
        get_order: UseCase[GetOrderCommand, Order],
        list_orders: UseCase[ListOrdersCommand, Page[OrderSummary]],
        cancel_order: UseCase[CancelOrderCommand, Answer[Order]],
        refund_order: UseCase[RefundOrderCommand, Answer[Refund]],
        list_refunds: UseCase[ListRefundsCommand, tuple[Refund, ...]],
        supervisor: Supervisor,
        page_tokens: PageTokens,
    ) -> None:
        self._place_order = place_order
        self._get_order = get_order
        self._list_orders = list_orders
        self._cancel_order = cancel_order
        self._refund_order = refund_order
        self._list_refunds = list_refunds
        self._supervisor = supervisor
        self._page_tokens = page_tokens

    async def PlaceOrder(self, request: pb.PlaceOrderRequest, context: Context) -> pb.PlaceOrderResponse:
        """The order of a paid checkout."""
        command = PlaceOrderCommand(
            customer_id=caller().user_id,
            request_id=RequestId(UUID(request.request_id)),
            checkout_id=CheckoutId(UUID(request.checkout_id)),
            gateway_payment_id=request.razorpay_payment_id,
            gateway_order_id=request.razorpay_order_id,
            signature=request.razorpay_signature,
        )
        answer = await self._supervisor.run("PlaceOrder", lambda: self._place_order.execute(command))
        return pb.PlaceOrderResponse(order=order_to_proto(value_of(answer)))

    async def GetOrder(self, request: pb.GetOrderRequest, context: Context) -> pb.GetOrderResponse:
        """One order."""
        order = await self._get_order.execute(GetOrderCommand(caller().user_id, OrderId(UUID(request.order_id))))
        return pb.GetOrderResponse(order=order_to_proto(order))

    async def ListOrders(self, request: pb.ListOrdersRequest, context: Context) -> pb.ListOrdersResponse:
        """A page of orders, the newest first."""
        owner = caller().user_id
        wanted = self._page_tokens.page_of(request, request.page_size, request.page_token, owner)
        page = await self._list_orders.execute(ListOrdersCommand(owner, wanted))
        return pb.ListOrdersResponse(
            orders=[summary_to_proto(order) for order in page.items],
            next_page_token=self._page_tokens.next_token(request, page.next_cursor, owner),
        )

    async def CancelOrder(self, request: pb.CancelOrderRequest, context: Context) -> pb.CancelOrderResponse:
        """Call an order off."""
        command = CancelOrderCommand(
            principal=caller(),
            proof=proof_of_some(),
            request_id=RequestId(UUID(request.request_id)),
            order_id=OrderId(UUID(request.order_id)),
            reason=request.reason,
        )
        answer = await self._supervisor.run("CancelOrder", lambda: self._cancel_order.execute(command))
        return pb.CancelOrderResponse(order=order_to_proto(value_of(answer)))

    async def RefundOrder(self, request: pb.RefundOrderRequest, context: Context) -> pb.RefundOrderResponse:
        """Send part of an order's money back."""
        command = RefundOrderCommand(
            principal=caller(),
            proof=proof(),
            request_id=RequestId(UUID(request.request_id)),
            order_id=OrderId(UUID(request.order_id)),
            lines=tuple(LineQuantity(line.position, line.quantity) for line in request.lines),
            shipping=Money(request.shipping_minor, INR),
            restock=request.restock,
            reason=request.reason,
        )
        answer = await self._supervisor.run("RefundOrder", lambda: self._refund_order.execute(command))
        return pb.RefundOrderResponse(refund=refund_to_proto(value_of(answer)))

    async def ListRefunds(self, request: pb.ListRefundsRequest, context: Context) -> pb.ListRefundsResponse:
        """An order's refunds."""
        refunds = await self._list_refunds.execute(ListRefundsCommand(caller(), OrderId(UUID(request.order_id))))
        return pb.ListRefundsResponse(refunds=[refund_to_proto(refund) for refund in refunds])
