"""What a refund of order lines takes back, from each party what that very line gave it.

A line of `quantity` pieces can be returned piece by piece. Each piece's share of the commission, its GST and the
designer's net is a running difference: the share of the first m + k pieces less that of the first m. However the pieces
are split over refunds, all of them together take back exactly what the line gave, to the paisa; no rate is looked up.
Only where a rate leaves the designer less than two paise of a piece may one piece's net be a paisa below zero, and
another's above.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from kapda.domain.orders.order import Order, OrderLine
from kapda.domain.shared import money
from kapda.domain.shared.errors import FailedPreconditionError, InvalidArgumentError, Precondition, Reason
from kapda.domain.shared.ids import DesignerId, VariantId
from kapda.domain.shared.money import Money


@dataclass(frozen=True, slots=True)
class LineQuantity:
    """So many pieces of the line at that position of the order."""

    position: int
    quantity: int


@dataclass(frozen=True, slots=True)
class ReversedLine:
    """A line's part of a refund: `amount` = `designer_net` + `commission` + `commission_gst`."""

    position: int
    variant_id: VariantId
    designer_id: DesignerId
    quantity: int
    amount: Money
    designer_net: Money
    commission: Money
    commission_gst: Money


@dataclass(frozen=True, slots=True)
class Returned:
    """What has gone back of an order: pieces by the position of their line, and how much of the shipping charge."""

    pieces: Mapping[int, int]
    shipping: Money


@dataclass(frozen=True, slots=True)
class Reversal:
    """A refund's content. `shipping` is the charge given back, zero when it stays."""

    lines: tuple[ReversedLine, ...]
    shipping: Money

    @property
    def amount(self) -> Money:
        """What the customer gets back."""
        return money.total((line.amount for line in self.lines), self.shipping.currency) + self.shipping


def reverse(order: Order, returned: Returned, wanted: Sequence[LineQuantity], shipping: Money) -> Reversal:
    """The reversal of the wanted pieces and of that much of the shipping charge.

    Raises InvalidArgumentError (VALIDATION_FAILED) for a line that is not there or named twice, or for nothing at all,
    and FailedPreconditionError (REFUND_EXCEEDS_ORDER) for more than is left.
    """
    by_position = {line.position: line for line in order.lines}
    positions = [want.position for want in wanted]
    if len(set(positions)) != len(positions) or any(position not in by_position for position in positions):
        raise InvalidArgumentError.for_field("lines", "must name lines of the order, each once")
    if shipping.amount_minor < 0:
        raise InvalidArgumentError.for_field("shipping", "must not be negative")
    if order.shipping < returned.shipping + shipping:
        raise exceeds_order("shipping")
    if not wanted and not shipping.is_positive:
        raise InvalidArgumentError.for_field("lines", "must name something to refund")
    before = returned.pieces
    return Reversal(
        tuple(_part(by_position[want.position], before.get(want.position, 0), want.quantity) for want in wanted),
        shipping,
    )


def everything_left(order: Order, returned: Returned) -> Reversal:
    """Every piece and all of the shipping charge that has not gone back yet; its amount may be zero."""
    left = ((line, line.quantity - returned.pieces.get(line.position, 0)) for line in order.lines)
    return Reversal(
        tuple(_part(line, line.quantity - quantity, quantity) for line, quantity in left if quantity > 0),
        order.shipping - returned.shipping,
    )


def exceeds_order(what: str) -> FailedPreconditionError:
    """The refusal of giving back more than was paid and is still here."""
    return FailedPreconditionError(
        Reason.REFUND_EXCEEDS_ORDER,
        f"{what}: more than is left to refund",
        metadata={"subject": what},
        preconditions=(Precondition(Reason.REFUND_EXCEEDS_ORDER.value, what, "more than is left to refund"),),
    )


def _part(line: OrderLine, before: int, quantity: int) -> ReversedLine:
    if quantity <= 0 or before + quantity > line.quantity:
        raise exceeds_order(f"line {line.position}")

    def share(whole: Money) -> Money:
        def of_first(pieces: int) -> int:
            return whole.amount_minor * pieces // line.quantity

        return Money(of_first(before + quantity) - of_first(before), whole.currency)

    amount = line.unit_price * quantity
    commission, commission_gst = share(line.commission), share(line.commission_gst)
    return ReversedLine(
        position=line.position,
        variant_id=line.variant_id,
        designer_id=line.designer_id,
        quantity=quantity,
        amount=amount,
        # What is left of the piece's price, so that the three always make the amount.
        designer_net=amount - commission - commission_gst,
        commission=commission,
        commission_gst=commission_gst,
    )
