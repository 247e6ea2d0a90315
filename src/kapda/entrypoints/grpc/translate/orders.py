"""Orders: as their customer sees them, which is without commissions."""

from kapda.api.orders.v1 import order_pb2
from kapda.domain.orders.order import Order, OrderLine, OrderState, OrderSummary
from kapda.domain.payments.refund import Refund, RefundState
from kapda.entrypoints.grpc.translate.values import address_to_proto, money_to_proto, options_to_proto, timestamp

_REFUND_STATES = {state: order_pb2.Refund.State.Value(f"STATE_{state.name}") for state in RefundState}
_STATES = {state: order_pb2.Order.State.Value(f"STATE_{state.name}") for state in OrderState}


def order_to_proto(order: Order) -> order_pb2.Order:
    """An order in full."""
    return order_pb2.Order(
        id=str(order.id),
        number=order.number,
        state=_STATES[order.state],
        lines=[_line(line) for line in order.lines],
        items_total=money_to_proto(order.items_total),
        shipping_charge=money_to_proto(order.shipping),
        total=money_to_proto(order.total),
        address=address_to_proto(order.address),
        checkout_id=str(order.checkout_id),
        payment_id=str(order.payment_id),
        place_time=timestamp(order.placed_at),
        history=[
            order_pb2.OrderHistoryEntry(
                state=_STATES[entry.state], create_time=timestamp(entry.at), reason=entry.reason
            )
            for entry in order.history
        ],
        etag=order.etag,
    )


def summary_to_proto(order: OrderSummary) -> order_pb2.OrderSummary:
    """An order in a list."""
    return order_pb2.OrderSummary(
        id=str(order.id),
        number=order.number,
        state=_STATES[order.state],
        item_count=order.item_count,
        first_title=order.first_title,
        total=money_to_proto(order.total),
        place_time=timestamp(order.placed_at),
    )


def refund_to_proto(refund: Refund) -> order_pb2.Refund:
    """A refund."""
    return order_pb2.Refund(
        id=str(refund.id),
        payment_id=str(refund.payment_id),
        order_id=str(refund.order_id or ""),
        amount=money_to_proto(refund.amount),
        state=_REFUND_STATES[refund.state],
        razorpay_refund_id=refund.gateway_refund_id or "",
        reason=refund.reason,
        request_time=timestamp(refund.requested_at),
    )


def _line(line: OrderLine) -> order_pb2.OrderLine:
    return order_pb2.OrderLine(
        position=line.position,
        variant_id=str(line.variant_id),
        product_id=str(line.product_id),
        designer_id=str(line.designer_id),
        sku=line.sku,
        title=line.title,
        options=options_to_proto(line.options),
        quantity=line.quantity,
        unit_price=money_to_proto(line.unit_price),
        line_total=money_to_proto(line.line_total),
        hsn_code=line.hsn_code,
        gst_rate_basis_points=line.gst_basis_points,
        taxable_amount=money_to_proto(line.taxable),
        gst_amount=money_to_proto(line.gst),
    )
