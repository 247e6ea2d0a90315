"""Inventory: stock and its movements."""

from kapda.api.inventory.v1 import stock_pb2
from kapda.domain.inventory.stock import MovementKind, StockLevel, StockMovement
from kapda.entrypoints.grpc.translate.values import timestamp

_KINDS = {kind: stock_pb2.StockMovement.Kind.Value(f"KIND_{kind.name}") for kind in MovementKind}


def stock_to_proto(level: StockLevel) -> stock_pb2.Stock:
    """The counters of a variant."""
    return stock_pb2.Stock(
        variant_id=str(level.variant_id),
        on_hand=level.on_hand,
        held=level.held,
        available=level.available,
        etag=level.etag,
        update_time=timestamp(level.updated_at),
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
