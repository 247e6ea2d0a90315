"""Cart: its lines, and what has changed since they were made."""

from kapda.api.cart.v1 import cart_pb2
from kapda.domain.cart.cart import Cart, CartChange, CartLine, ChangeKind
from kapda.domain.cart.merge import CutReason, MergeCut
from kapda.entrypoints.grpc.translate.values import money_to_proto, options_to_proto, timestamp

_KINDS = {kind: cart_pb2.CartChange.Kind.Value(f"KIND_{kind.name}") for kind in ChangeKind}
_CUTS = {reason: cart_pb2.MergeCut.Reason.Value(f"REASON_{reason.name}") for reason in CutReason}
_PRICE_CHANGES = frozenset({ChangeKind.PRICE_RAISED, ChangeKind.PRICE_DROPPED})


def cart_to_proto(cart: Cart) -> cart_pb2.Cart:
    """A cart. One that was never written has no id and no times to tell."""
    result = cart_pb2.Cart(
        lines=[_line(line) for line in cart.lines],
        total=money_to_proto(cart.total),
        item_count=cart.item_count,
        etag=cart.etag,
    )
    if cart.version > 0:
        result.id = str(cart.id)
        result.update_time.CopyFrom(timestamp(cart.updated_at))
        result.expire_time.CopyFrom(timestamp(cart.expires_at))
    return result


def change_to_proto(change: CartChange) -> cart_pb2.CartChange:
    """One difference: two prices, or two quantities."""
    result = cart_pb2.CartChange(kind=_KINDS[change.kind], variant_id=str(change.variant_id))
    if change.kind in _PRICE_CHANGES:
        result.price_before.CopyFrom(money_to_proto(change.price_before))
        result.price_after.CopyFrom(money_to_proto(change.price_now))
    else:
        result.requested_quantity = change.quantity
        result.available_quantity = change.quantity_possible
    return result


def cut_to_proto(cut: MergeCut) -> cart_pb2.MergeCut:
    """Pieces that were left behind."""
    return cart_pb2.MergeCut(
        reason=_CUTS[cut.reason],
        variant_id=str(cut.variant_id),
        title=cut.title,
        wanted_quantity=cut.wanted,
        kept_quantity=cut.kept,
    )


def _line(line: CartLine) -> cart_pb2.CartLine:
    return cart_pb2.CartLine(
        variant_id=str(line.variant_id),
        product_id=str(line.product_id),
        sku=line.sku,
        title=line.title,
        options=options_to_proto(line.options),
        quantity=line.quantity,
        unit_price=money_to_proto(line.unit_price),
        unit_price_when_added=money_to_proto(line.price_when_added),
        line_total=money_to_proto(line.line_total),
        available_quantity=min(line.available, line.max_quantity) if line.on_sale else 0,
        purchasable=line.purchasable,
    )
