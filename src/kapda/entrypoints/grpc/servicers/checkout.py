"""CheckoutService."""

# The contract names the methods, and grpc hands every one the same parameters.
# ruff: noqa: N802, ARG002

from uuid import UUID

from kapda.api.checkout.v1 import checkout_service_pb2 as pb
from kapda.api.checkout.v1.checkout_service_pb2_grpc import CheckoutServiceServicer
from kapda.domain.checkout.checkout import Checkout
from kapda.domain.checkout.use_cases.abandon_checkout import AbandonCheckoutCommand
from kapda.domain.checkout.use_cases.get_checkout import GetCheckoutCommand
from kapda.domain.checkout.use_cases.start_checkout import StartCheckoutCommand
from kapda.domain.shared.ids import CheckoutId, RequestId
from kapda.domain.shared.request_log import Answer
from kapda.entrypoints.grpc.call import Context, caller, value_of
from kapda.entrypoints.grpc.translate.checkout import checkout_to_proto
from kapda.entrypoints.grpc.translate.values import address_from_proto, money_from_proto
from kapda.entrypoints.supervisor import Supervisor
from kapda.entrypoints.use_case import UseCase


class CheckoutServicer(CheckoutServiceServicer):
    """From cart to payment. Starting talks to the gateway, so it does not end with its caller."""

    def __init__(
        self,
        *,
        start_checkout: UseCase[StartCheckoutCommand, Answer[Checkout]],
        get_checkout: UseCase[GetCheckoutCommand, Checkout],
        abandon_checkout: UseCase[AbandonCheckoutCommand, Answer[Checkout]],
        supervisor: Supervisor,
        razorpay_key_id: str,
    ) -> None:
        self._start_checkout = start_checkout
        self._get_checkout = get_checkout
        self._abandon_checkout = abandon_checkout
        self._supervisor = supervisor
        self._razorpay_key_id = razorpay_key_id

    async def StartCheckout(self, request: pb.StartCheckoutRequest, context: Context) -> pb.StartCheckoutResponse:
        """Hold, and open the gateway's order."""
        command = StartCheckoutCommand(
            customer_id=caller().user_id,
            request_id=RequestId(UUID(request.request_id)),
            address=address_from_proto(request.address),
            expected_total=money_from_proto(request.expected_total),
        )
        answer = await self._supervisor.run("StartCheckout", lambda: self._start_checkout.execute(command))
        return pb.StartCheckoutResponse(checkout=checkout_to_proto(value_of(answer), self._razorpay_key_id))

    async def GetCheckout(self, request: pb.GetCheckoutRequest, context: Context) -> pb.GetCheckoutResponse:
        """One checkout."""
        checkout = await self._get_checkout.execute(
            GetCheckoutCommand(caller().user_id, CheckoutId(UUID(request.checkout_id)))
        )
        return pb.GetCheckoutResponse(checkout=checkout_to_proto(checkout, self._razorpay_key_id))

    async def AbandonCheckout(self, request: pb.AbandonCheckoutRequest, context: Context) -> pb.AbandonCheckoutResponse:
        """Give a checkout up."""
        answer = await self._abandon_checkout.execute(
            AbandonCheckoutCommand(
                customer_id=caller().user_id,
                request_id=RequestId(UUID(request.request_id)),
                checkout_id=CheckoutId(UUID(request.checkout_id)),
            )
        )
        return pb.AbandonCheckoutResponse(checkout=checkout_to_proto(value_of(answer), self._razorpay_key_id))
