"""Products as a shopper sees them."""

from uuid import UUID

import pytest

from kapda.domain.catalog.product import OptionView, VariantView, options_of
from kapda.domain.shared.ids import VariantId
from kapda.domain.shared.money import INR, Money


@pytest.mark.parametrize(("available", "limit", "buyable"), [(0, 10, 0), (3, 10, 3), (40, 10, 10)])
def test_a_line_takes_what_is_available_up_to_its_limit(available: int, limit: int, buyable: int) -> None:
    variant = VariantView(VariantId(UUID(int=1)), "SKU", {"size": "M"}, Money(100, INR), available, limit)

    assert variant.available_quantity == buyable


def test_options_show_each_value_once_in_the_designer_s_order() -> None:
    variants = [{"size": "S", "colour": "Teal"}, {"size": "M", "colour": "Teal"}, {"size": "S", "colour": "Rust"}]

    assert options_of(["colour", "size", "length"], variants) == (
        OptionView("colour", ("Teal", "Rust")),
        OptionView("size", ("S", "M")),
        OptionView("length", ()),
    )
