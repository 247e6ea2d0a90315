"""What a line of a delivery may be."""

from uuid import UUID

import pytest

from kapda.domain.inventory.delivery import Arrival, DeliveryLine, refusal_of
from kapda.domain.inventory.stock import MAX_QUANTITY, StockLevel
from kapda.domain.shared.ids import VariantId
from tests.fakes.samples import NOON

KURTA = VariantId(UUID(int=1))


def test_a_line_names_its_variant_in_one_way() -> None:
    for names in ({}, {"variant_id": KURTA, "sku": "K1"}):
        with pytest.raises(ValueError, match="by id or by SKU"):
            DeliveryLine(1, **names)  # type: ignore[arg-type]  # two kinds of names in one dictionary


@pytest.mark.parametrize("quantity", [0, -1, MAX_QUANTITY + 1])
def test_a_line_is_of_at_least_one_piece_within_range(quantity: int) -> None:
    with pytest.raises(ValueError, match="piece"):
        DeliveryLine(quantity, sku="K1")


def test_a_delivery_that_arrived_is_not_refused() -> None:
    lines = (DeliveryLine(1, sku="K1"),)
    assert refusal_of(lines, (Arrival(KURTA, StockLevel(KURTA, 1, 0, 2, NOON)),)) is None
