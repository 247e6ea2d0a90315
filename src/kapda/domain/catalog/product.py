"""Products as a shopper sees them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from kapda.domain.shared.ids import DesignerId, ProductId, VariantId
from kapda.domain.shared.money import Money

# Names of options that lists show and filter by; a product may have others besides.
COLOUR = "colour"
SIZE = "size"


@dataclass(frozen=True, slots=True)
class DesignerRef:
    """Who makes and sells a product, as much as a product page names."""

    id: DesignerId
    slug: str
    display_name: str


@dataclass(frozen=True, slots=True)
class ProductSummary:
    """A product in a list. Prices include tax and span all variants on sale; colours and sizes are in the designer's
    order, each once; `in_stock` says that some variant can be had now."""

    id: ProductId
    slug: str
    title: str
    category: str
    designer: DesignerRef
    min_price: Money
    max_price: Money
    colours: tuple[str, ...]
    sizes: tuple[str, ...]
    in_stock: bool
    published_at: datetime


@dataclass(frozen=True, slots=True)
class OptionView:
    """A choice the shopper makes, with its values in the designer's order."""

    name: str
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class VariantView:
    """One thing that can be bought. `options` has one value for each of the product's options, in their order;
    `available` is the number of pieces nobody holds at this moment."""

    id: VariantId
    sku: str
    options: Mapping[str, str]
    price: Money
    available: int
    max_quantity_per_line: int

    @property
    def available_quantity(self) -> int:
        """How many pieces a cart line can take now."""
        return min(self.available, self.max_quantity_per_line)


@dataclass(frozen=True, slots=True)
class ProductDetail:
    """A product with everything its page shows. Variants no longer sold are left out."""

    id: ProductId
    slug: str
    title: str
    description: str
    category: str
    designer: DesignerRef
    options: tuple[OptionView, ...]
    variants: tuple[VariantView, ...]
    min_price: Money
    max_price: Money
    published_at: datetime


def options_of(names: Iterable[str], variants: Iterable[Mapping[str, str]]) -> tuple[OptionView, ...]:
    """The choices that variants with these option values leave, values in order of first appearance."""
    shown = tuple(variants)
    return tuple(OptionView(name, distinct(values[name] for values in shown if name in values)) for name in names)


def distinct(values: Iterable[str]) -> tuple[str, ...]:
    """Each value once, in order of first appearance."""
    return tuple(dict.fromkeys(values))
