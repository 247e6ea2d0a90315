"""Payments: captured money."""

from kapda.api.payments.v1 import payment_pb2
from kapda.domain.payments.payment import Payment, PaymentState
from kapda.entrypoints.grpc.translate.values import money_to_proto, timestamp

_STATES = {state: payment_pb2.Payment.State.Value(f"STATE_{state.name}") for state in PaymentState}


def payment_to_proto(payment: Payment) -> payment_pb2.Payment:
    """A payment."""
    return payment_pb2.Payment(
        id=str(payment.id),
        checkout_id=str(payment.checkout_id),
        order_id="" if payment.order_id is None else str(payment.order_id),
        razorpay_payment_id=payment.gateway_payment_id,
        state=_STATES[payment.state],
        amount=money_to_proto(payment.amount),
        method=payment.method,
        capture_time=timestamp(payment.captured_at),
    )
