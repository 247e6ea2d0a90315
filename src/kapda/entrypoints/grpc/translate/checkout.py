"""Checkout: a purchase in progress."""

from kapda.api.checkout.v1 import checkout_pb2
from kapda.domain.checkout.checkout import Checkout, CheckoutLine, CheckoutState
from kapda.entrypoints.grpc.translate.values import address_to_proto, money_to_proto, options_to_proto, timestamp

_STATES = {state: checkout_pb2.Checkout.State.Value(f"STATE_{state.name}") for state in CheckoutState}


def checkout_to_proto(checkout: Checkout, razorpay_key_id: str) -> checkout_pb2.Checkout:
    """A checkout, with what Razorpay's page in the browser needs."""
    return checkout_pb2.Checkout(
        id=str(checkout.id),
        state=_STATES[checkout.state],
        lines=[_line(line) for line in checkout.lines],
        address=address_to_proto(checkout.address),
        items_total=money_to_proto(checkout.items_total),
        shipping_charge=money_to_proto(checkout.shipping),
        total=money_to_proto(checkout.total),
        create_time=timestamp(checkout.created_at),
        pay_before_time=timestamp(checkout.pay_before),
        razorpay_order_id=checkout.gateway_order_id or "",
        razorpay_key_id=razorpay_key_id,
        order_id="" if checkout.order_id is None else str(checkout.order_id),
    )


def _line(line: CheckoutLine) -> checkout_pb2.CheckoutLine:
    return checkout_pb2.CheckoutLine(
        variant_id=str(line.variant_id),
        sku=line.sku,
        title=line.title,
        options=options_to_proto(line.options),
        quantity=line.quantity,
        unit_price=money_to_proto(line.unit_price),
        line_total=money_to_proto(line.line_total),
    )
