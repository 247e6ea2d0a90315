"""PaymentService."""

# The contract names the methods, and grpc hands every one the same parameters.
# ruff: noqa: N802, ARG002

from uuid import UUID

from kapda.api.payments.v1 import payment_service_pb2 as pb
from kapda.api.payments.v1.payment_service_pb2_grpc import PaymentServiceServicer
from kapda.domain.payments.payment import Payment
from kapda.domain.payments.use_cases.get_payment import GetPaymentCommand
from kapda.domain.shared.ids import PaymentId
from kapda.entrypoints.grpc.call import Context, caller
from kapda.entrypoints.grpc.translate.payments import payment_to_proto
from kapda.entrypoints.use_case import UseCase


class PaymentServicer(PaymentServiceServicer):
    """Payments, for those who made them and for admins."""

    def __init__(self, *, get_payment: UseCase[GetPaymentCommand, Payment]) -> None:
        self._get_payment = get_payment

    async def GetPayment(self, request: pb.GetPaymentRequest, context: Context) -> pb.GetPaymentResponse:
        """One payment."""
        payment = await self._get_payment.execute(GetPaymentCommand(caller(), PaymentId(UUID(request.payment_id))))
        return pb.GetPaymentResponse(payment=payment_to_proto(payment))
