"""Refusals that several use cases of orders share."""

from kapda.domain.shared.errors import NotFoundError, Reason
from kapda.domain.shared.ids import OrderId


def order_not_found(order_id: OrderId) -> NotFoundError:
    """No such order, or another customer's."""
    return NotFoundError(Reason.ORDER_NOT_FOUND, f"order {order_id} not found", metadata={"order_id": str(order_id)})
