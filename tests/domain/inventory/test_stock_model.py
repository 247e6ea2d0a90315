"""What stock is, and what a shortage says."""

from uuid import UUID

import pytest

from kapda.domain.inventory.stock import MAX_QUANTITY, HoldLine, Shortage, StockLevel, insufficient_stock
from kapda.domain.shared.errors import FailedPreconditionError, Reason
from kapda.domain.shared.etag import version_of
from kapda.domain.shared.ids import VariantId
from tests.fakes.samples import NOON

KURTA, SAREE = VariantId(UUID(int=1)), VariantId(UUID(int=2))


def test_what_is_not_held_is_available() -> None:
    level = StockLevel(KURTA, on_hand=7, held=3, version=4, updated_at=NOON)
    assert level.available == 4
    assert level.etag == "v4"


@pytest.mark.parametrize(("available", "low"), [(6, False), (5, True), (4, True), (0, True)])
def test_a_variant_is_low_with_its_threshold_available_or_fewer(available: int, low: bool) -> None:
    level = StockLevel(KURTA, on_hand=available + 2, held=2, version=1, updated_at=NOON, low_stock_threshold=5)
    assert level.low is low


@pytest.mark.parametrize("version", [1, 10**18 - 1])
def test_an_etag_is_read_as_it_was_written(version: int) -> None:
    assert version_of(StockLevel(KURTA, 1, 0, version, NOON).etag) == version


@pytest.mark.parametrize("quantity", [1, 2, MAX_QUANTITY])
def test_a_hold_is_for_at_least_one_piece(quantity: int) -> None:
    assert HoldLine(KURTA, quantity).quantity == quantity


@pytest.mark.parametrize("quantity", [0, -1, MAX_QUANTITY + 1])
def test_a_hold_outside_the_counters_range_cannot_exist(quantity: int) -> None:
    with pytest.raises(ValueError, match="hold"):
        HoldLine(KURTA, quantity)


def test_a_refusal_names_every_short_variant() -> None:
    refusal = insufficient_stock([Shortage(KURTA, 3, 1), Shortage(SAREE, 2, 0)])
    assert isinstance(refusal, FailedPreconditionError)
    assert refusal.reason is Reason.INSUFFICIENT_STOCK
    assert refusal.metadata == {"variant_id": str(KURTA), "available": "1", "requested": "3"}
    assert [(met.type, met.subject, met.description) for met in refusal.preconditions] == [
        ("INSUFFICIENT_STOCK", f"variants/{KURTA}", "1 available, 3 requested"),
        ("INSUFFICIENT_STOCK", f"variants/{SAREE}", "0 available, 2 requested"),
    ]
