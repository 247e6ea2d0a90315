"""A delivery of many variants: taken in as a whole or not at all."""

from collections.abc import Sequence
from dataclasses import dataclass

from kapda.domain.inventory.stock import MAX_QUANTITY, StockLevel
from kapda.domain.shared.errors import DomainError, FieldViolation, InvalidArgumentError, NotFoundError, Reason
from kapda.domain.shared.ids import VariantId

# As many rows are locked by one statement; a larger delivery is more than one request.
MAX_DELIVERY_LINES = 500


@dataclass(frozen=True, slots=True)
class DeliveryLine:
    """So many pieces of the variant with that id, or else with that SKU."""

    quantity: int
    variant_id: VariantId | None = None
    sku: str | None = None

    def __post_init__(self) -> None:
        if (self.variant_id is None) == (self.sku is None):
            raise ValueError("a line names its variant by id or by SKU")
        if not 0 < self.quantity <= MAX_QUANTITY:
            raise ValueError("a line is of at least one piece and within the counters' range")


@dataclass(frozen=True, slots=True)
class Arrival:
    """What came of a line: the variant it names, None where the owner has no such variant, and its new counters, None
    where nothing was taken in."""

    variant_id: VariantId | None
    level: StockLevel | None


def refusal_of(lines: Sequence[DeliveryLine], arrivals: Sequence[Arrival]) -> DomainError | None:
    """Everything that is wrong with a delivery, line by line; None when nothing is.

    A variant named twice is refused rather than summed: in a list that somebody typed or scanned it is more often a line
    entered twice than two parcels of one thing, and pieces that are not there get sold.
    """
    first_line_of: dict[VariantId, int] = {}
    violations = []
    unknown = []
    for number, (line, arrival) in enumerate(zip(lines, arrivals, strict=True)):
        field = f"lines[{number}].{'sku' if line.variant_id is None else 'variant_id'}"
        if arrival.variant_id is None:
            unknown.append(line)
            violations.append(FieldViolation(field, "no such variant"))
        elif (first := first_line_of.setdefault(arrival.variant_id, number)) != number:
            violations.append(FieldViolation(field, f"the same variant as lines[{first}]"))
    if not violations:
        return None
    message, metadata = f"{len(violations)} lines refused", {"refused_lines": str(len(violations))}
    if not unknown:
        return InvalidArgumentError(Reason.VALIDATION_FAILED, message, metadata=metadata, violations=tuple(violations))
    named = unknown[0]
    metadata |= {"sku": named.sku} if named.sku is not None else {"variant_id": str(named.variant_id)}
    return NotFoundError(Reason.VARIANT_NOT_FOUND, message, metadata=metadata, violations=tuple(violations))
