"""What a shopper asks of a list: which products, in which order, after which one."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from enum import Enum, unique
from typing import TypeVar
from uuid import UUID

from kapda.domain.catalog.product import COLOUR, SIZE, ProductSummary
from kapda.domain.shared.errors import InvalidArgumentError, Reason
from kapda.domain.shared.ids import DesignerId, ProductId
from kapda.domain.shared.money import INR, Money
from kapda.domain.shared.pages import Cursor

# Every colour is tried with every size, so the two together stay small.
MAX_FILTER_VALUES = 20

Key = TypeVar("Key", int, datetime)


@dataclass(frozen=True, slots=True)
class ProductFilter:
    """Products for which every given part holds; a part that is None or empty holds for all.

    `category` is a category's singular or plural name, in any case. Price, colours and sizes must meet in one variant
    on sale: a red shirt in M is not found because there is a red one in S and a blue one in M. Colours and sizes are
    spelt as products show them. An unknown category, designer, colour or size finds nothing.

    Raises InvalidArgumentError for a price range upside down or in another currency than the prices, for more than 20
    colours or sizes, or for a null character, which no stored text can have.
    """

    category: str | None = None
    designer_id: DesignerId | None = None
    min_price: Money | None = None
    max_price: Money | None = None
    sizes: frozenset[str] = frozenset()
    colours: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        self._check_texts()
        for field, price in (("min_price", self.min_price), ("max_price", self.max_price)):
            if price is not None and price.currency != INR:
                raise InvalidArgumentError.for_field(field, f"must be in {INR}, as the prices are")
        if self.min_price is not None and self.max_price is not None and self.max_price < self.min_price:
            raise InvalidArgumentError.for_field("max_price", "must not be below min_price")
        if self.category is not None:
            object.__setattr__(self, "category", self.category.strip().lower() or None)

    def _check_texts(self) -> None:
        for field, values in (("sizes", self.sizes), ("colours", self.colours)):
            if len(values) > MAX_FILTER_VALUES:
                raise InvalidArgumentError.for_field(field, f"must not be more than {MAX_FILTER_VALUES}")
            if any("\0" in value for value in values):
                raise InvalidArgumentError.for_field(field, "must not have a null character")
        if "\0" in (self.category or ""):
            raise InvalidArgumentError.for_field("category", "must not have a null character")

    def option_values(self) -> tuple[dict[str, str], ...]:
        """The combinations of colour and size of which a variant must have one; empty when any will do."""
        colours = [{COLOUR: colour} for colour in sorted(self.colours)] or [{}]
        sizes = [{SIZE: size} for size in sorted(self.sizes)] or [{}]
        return tuple(colour | size for colour in colours for size in sizes if colour or size)


@unique
class Sort(Enum):
    """The order of a list. Equals are ordered by id, in the same direction, so that no two have the same place."""

    NEWEST = "newest"
    PRICE_ASCENDING = "price_ascending"
    PRICE_DESCENDING = "price_descending"

    def cursor_of(self, product: ProductSummary) -> Cursor:
        """The place of a product in this order."""
        key = product.published_at.isoformat() if self is Sort.NEWEST else str(product.min_price.amount_minor)
        return (key, str(product.id))


def newest_place(cursor: Cursor) -> tuple[datetime, ProductId]:
    """When a list by time goes on, and after which product. Raises InvalidArgumentError (PAGE_TOKEN_INVALID)."""
    return _place(cursor, _aware_time)


def numbered_place(cursor: Cursor) -> tuple[int, ProductId]:
    """At which number (a price in paise, a rank) a list goes on, and after which product.

    Raises InvalidArgumentError (PAGE_TOKEN_INVALID).
    """
    return _place(cursor, int)


def _aware_time(text: str) -> datetime:
    """A price such as 20260131 reads as a day, too; but only a cursor of ours has an offset."""
    time = datetime.fromisoformat(text)
    if time.tzinfo is None:
        raise ValueError("the time has no offset")
    return time


def _place(cursor: Cursor, read: Callable[[str], Key]) -> tuple[Key, ProductId]:
    try:
        key, product_id = cursor
        return read(key), ProductId(UUID(product_id))
    except ValueError as error:
        raise InvalidArgumentError.for_field(
            "page_token", "is not one that this list gave", Reason.PAGE_TOKEN_INVALID
        ) from error
