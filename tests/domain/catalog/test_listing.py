"""What may be asked of a list, and how it goes on."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kapda.domain.catalog.listing import MAX_FILTER_VALUES, ProductFilter, Sort, newest_place, numbered_place
from kapda.domain.catalog.product import DesignerRef, ProductSummary
from kapda.domain.shared.errors import InvalidArgumentError, Reason
from kapda.domain.shared.ids import DesignerId, ProductId
from kapda.domain.shared.money import INR, Money

HUNDRED = Money(100_00, INR)
TOO_MANY = frozenset(f"colour {number}" for number in range(MAX_FILTER_VALUES + 1))


def product(identifier: int, price: int, published_at: datetime) -> ProductSummary:
    designer = DesignerRef(DesignerId(UUID(int=1)), "loom", "The Loom")
    money = Money(price, INR)
    return ProductSummary(
        ProductId(UUID(int=identifier)), "slug", "title", "kurta", designer, money, money, (), (), True, published_at
    )


@pytest.mark.parametrize(
    ("field", "parts"),
    [
        ("max_price", {"min_price": HUNDRED, "max_price": Money(99_99, INR)}),
        ("min_price", {"min_price": Money(100, "USD")}),
        ("max_price", {"max_price": Money(100, "USD")}),
        ("colours", {"colours": TOO_MANY}),
        ("sizes", {"sizes": TOO_MANY}),
        ("sizes", {"sizes": frozenset({"M\0"})}),
        ("category", {"category": "kur\0ta"}),
    ],
)
def test_a_filter_that_makes_no_sense_is_refused(field: str, parts: dict[str, object]) -> None:
    with pytest.raises(InvalidArgumentError) as refusal:
        ProductFilter(**parts)  # type: ignore[arg-type]  # one field at a time, each of its own type
    assert [violation.field for violation in refusal.value.violations] == [field]


def test_a_range_of_one_price_makes_sense() -> None:
    assert ProductFilter(min_price=HUNDRED, max_price=HUNDRED).min_price == HUNDRED


@pytest.mark.parametrize(("typed", "category"), [("Kurtas", "kurtas"), (" SAREE ", "saree"), ("", None), ("  ", None)])
def test_a_category_is_taken_in_any_case(typed: str, category: str | None) -> None:
    assert ProductFilter(category=typed).category == category


def test_every_colour_is_looked_for_in_every_size() -> None:
    both = ProductFilter(colours=frozenset({"Rust", "Teal"}), sizes=frozenset({"M"}))

    assert both.option_values() == ({"colour": "Rust", "size": "M"}, {"colour": "Teal", "size": "M"})
    assert ProductFilter(sizes=frozenset({"M"})).option_values() == ({"size": "M"},)
    assert ProductFilter().option_values() == ()


@given(st.integers(0, 2**128 - 1), st.integers(1, 2**53 - 1), st.timedeltas(timedelta(0), timedelta(days=36_500)))
def test_a_list_goes_on_at_exactly_the_place_it_stopped(identifier: int, price: int, after: timedelta) -> None:
    shown = product(identifier, price, datetime(2000, 1, 1, tzinfo=UTC) + after)

    assert newest_place(Sort.NEWEST.cursor_of(shown)) == (shown.published_at, shown.id)
    for sort in (Sort.PRICE_ASCENDING, Sort.PRICE_DESCENDING):
        assert numbered_place(sort.cursor_of(shown)) == (price, shown.id)


@pytest.mark.parametrize("price", [100, 20_260_131])
def test_another_order_s_place_is_refused(price: int) -> None:
    shown = product(1, price, datetime(2026, 1, 1, 12, tzinfo=UTC))

    with pytest.raises(InvalidArgumentError) as refusal:
        numbered_place(Sort.NEWEST.cursor_of(shown))
    assert refusal.value.reason is Reason.PAGE_TOKEN_INVALID
    with pytest.raises(InvalidArgumentError):
        newest_place(Sort.PRICE_ASCENDING.cursor_of(shown))
