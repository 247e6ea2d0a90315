"""Inventory: stock, its movements, and what keeps it from a buyer."""

from uuid import UUID

from kapda.api.inventory.v1 import inventory_service_pb2, stock_pb2
from kapda.domain.inventory.availability import Availability, HolderState, ListingState, LiveHold, Obstacle
from kapda.domain.inventory.delivery import DeliveryLine
from kapda.domain.inventory.stock import MovementKind, StockLevel, StockMovement
from kapda.domain.shared.ids import VariantId
from kapda.entrypoints.grpc.translate.values import timestamp, timestamp_or_none

_KINDS = {kind: stock_pb2.StockMovement.Kind.Value(f"KIND_{kind.name}") for kind in MovementKind}
_PRODUCT_STATES = {
    state: stock_pb2.Availability.ProductState.Value(f"PRODUCT_STATE_{state.name}") for state in ListingState
}
_OBSTACLES = {obstacle: stock_pb2.Availability.Obstacle.Value(f"OBSTACLE_{obstacle.name}") for obstacle in Obstacle}
_HOLD_STATES = {state: stock_pb2.StockHold.State.Value(f"STATE_{state.name}") for state in HolderState}


def stock_to_proto(level: StockLevel) -> stock_pb2.Stock:
    """The counters of a variant."""
    return stock_pb2.Stock(
        variant_id=str(level.variant_id),
        on_hand=level.on_hand,
        held=level.held,
        available=level.available,
        etag=level.etag,
        update_time=timestamp(level.updated_at),
        low_stock_threshold=level.low_stock_threshold,
    )


def delivery_line_from_proto(line: inventory_service_pb2.DeliveryLine) -> DeliveryLine:
    """A line of a validated message: it names its variant in one of the two ways."""
    if line.WhichOneof("variant") == "sku":
        return DeliveryLine(line.quantity, sku=line.sku)
    return DeliveryLine(line.quantity, variant_id=VariantId(UUID(line.variant_id)))


def availability_to_proto(availability: Availability) -> stock_pb2.Availability:
    """Everything that decides whether a variant can be bought."""
    return stock_pb2.Availability(
        stock=stock_to_proto(availability.level),
        sku=availability.sku,
        product_state=_PRODUCT_STATES[availability.listing],
        variant_active=availability.active,
        obstacles=[_OBSTACLES[obstacle] for obstacle in availability.obstacles],
        holds=[_hold_to_proto(hold) for hold in availability.holds],
        more_hold_count=availability.more_holds,
    )


def _hold_to_proto(hold: LiveHold) -> stock_pb2.StockHold:
    return stock_pb2.StockHold(
        checkout_id=str(hold.hold_id),
        quantity=hold.quantity,
        state=_HOLD_STATES[hold.state],
        hold_time=timestamp(hold.held_since),
        expire_time=timestamp_or_none(hold.hold_until),
    )


def movement_to_proto(movement: StockMovement) -> stock_pb2.StockMovement:
    """One movement. Stock is held for checkouts only, under the checkout's own id."""
    return stock_pb2.StockMovement(
        id=str(movement.id),
        kind=_KINDS[movement.kind],
        on_hand_delta=movement.on_hand_delta,
        held_delta=movement.held_delta,
        reason=movement.reason,
        actor=movement.actor,
        checkout_id="" if movement.hold_id is None else str(movement.hold_id),
        create_time=timestamp(movement.created_at),
    )
