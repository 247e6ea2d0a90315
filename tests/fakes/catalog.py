"""The catalogue in memory, held to the same contract as the one in PostgreSQL."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from kapda.adapters.postgres.seed.records import CatalogueRecords, ProductRecord, VariantRecord
from kapda.domain.catalog.listing import ProductFilter, Sort, newest_place, numbered_place
from kapda.domain.catalog.product import (
    COLOUR,
    SIZE,
    DesignerRef,
    ProductDetail,
    ProductSummary,
    VariantView,
    distinct,
    options_of,
)
from kapda.domain.catalog.search_text import SearchText
from kapda.domain.shared.ids import DesignerId, ProductId, VariantId
from kapda.domain.shared.money import INR, Money
from kapda.domain.shared.pages import Page, PageRequest

_TITLE, _CATEGORY, _DESCRIPTION = 100, 40, 20


@dataclass
class InMemoryProducts:
    """Products. A word is a run of letters, and a final s makes no other word of it."""

    records: CatalogueRecords = field(default_factory=lambda: CatalogueRecords((), (), (), ()))

    async def list(self, which: ProductFilter, sort: Sort, page: PageRequest) -> Page[ProductSummary]:
        found = [self._summary(product) for product in self._published(which)]
        if sort is Sort.NEWEST:
            found.sort(key=_newest, reverse=True)
            if page.cursor is not None:
                after_time = newest_place(page.cursor)
                found = [product for product in found if _newest(product) < after_time]
            return Page.cut(found, page, sort.cursor_of)
        dearest_first = sort is Sort.PRICE_DESCENDING
        found.sort(key=_priced, reverse=dearest_first)
        if page.cursor is not None:
            after = numbered_place(page.cursor)
            found = [
                product
                for product in found
                if (_priced(product) < after if dearest_first else _priced(product) > after)
            ]
        return Page.cut(found, page, sort.cursor_of)

    async def search(self, text: SearchText, which: ProductFilter, page: PageRequest) -> Page[ProductSummary]:
        ranked = [(_rank(product, text), self._summary(product)) for product in self._published(which)]
        matches = sorted(((rank, product.id, product) for rank, product in ranked if rank), reverse=True)
        if page.cursor is not None:
            after = numbered_place(page.cursor)
            matches = [match for match in matches if match[:2] < after]
        cut = Page.cut(matches, page, lambda match: (str(match[0]), str(match[1])))
        return Page(tuple(product for _, _, product in cut.items), cut.next_cursor)

    async def get(self, product_id: ProductId) -> ProductDetail | None:
        found = (product for product in self._published(ProductFilter()) if product.id == product_id)
        return next(map(self._detail, found), None)

    def _published(self, which: ProductFilter) -> Sequence[ProductRecord]:
        return [
            product
            for product in self.records.products
            if product.state == "published"
            and (which.category is None or product.category_slug == self._category(which.category))
            and (which.designer_id is None or product.designer_id == which.designer_id)
            and any(_fits(variant, which) for variant in product.variants if variant.active)
        ]

    def _category(self, name: str) -> str | None:
        shelves = (shelf.slug for shelf in self.records.categories if name in (shelf.slug, shelf.plural_slug))
        return next(shelves, None)

    def _designer(self, product: ProductRecord) -> DesignerRef:
        house = next(house for house in self.records.designers if house.id == product.designer_id)
        return DesignerRef(DesignerId(house.id), house.slug, house.display_name)

    def _summary(self, product: ProductRecord) -> ProductSummary:
        shown = [variant for variant in product.variants if variant.active]
        return ProductSummary(
            id=ProductId(product.id),
            slug=product.slug,
            title=product.title,
            category=product.category_slug,
            designer=self._designer(product),
            min_price=Money(min(product.prices), INR),
            max_price=Money(max(product.prices), INR),
            colours=distinct(variant.options[COLOUR] for variant in shown if COLOUR in variant.options),
            sizes=distinct(variant.options[SIZE] for variant in shown if SIZE in variant.options),
            in_stock=any(variant.received for variant in shown),
            published_at=_time(product),
        )

    def _detail(self, product: ProductRecord) -> ProductDetail:
        variants = tuple(
            VariantView(
                id=VariantId(variant.id),
                sku=variant.sku,
                options=variant.options,
                price=Money(variant.price_minor, INR),
                available=variant.received,
                max_quantity_per_line=product.max_quantity_per_line,
            )
            for variant in product.variants
            if variant.active
        )
        return ProductDetail(
            id=ProductId(product.id),
            slug=product.slug,
            title=product.title,
            description=product.description,
            category=product.category_slug,
            designer=self._designer(product),
            options=options_of(product.option_names, (variant.options for variant in variants)),
            variants=variants,
            min_price=Money(min(product.prices), INR),
            max_price=Money(max(product.prices), INR),
            published_at=_time(product),
        )


def _time(product: ProductRecord) -> datetime:
    assert product.published_at is not None
    return product.published_at


def _newest(product: ProductSummary) -> tuple[datetime, ProductId]:
    return product.published_at, product.id


def _priced(product: ProductSummary) -> tuple[int, ProductId]:
    return product.min_price.amount_minor, product.id


def _fits(variant: VariantRecord, which: ProductFilter) -> bool:
    price = Money(variant.price_minor, INR)
    return (
        (which.min_price is None or which.min_price <= price)
        and (which.max_price is None or price <= which.max_price)
        and (not which.colours or variant.options.get(COLOUR) in which.colours)
        and (not which.sizes or variant.options.get(SIZE) in which.sizes)
    )


def _rank(product: ProductRecord, text: SearchText) -> int:
    weights = dict.fromkeys(_words(product.description), _DESCRIPTION)
    weights |= dict.fromkeys(_words(product.category_slug), _CATEGORY)
    weights |= dict.fromkeys(_words(product.title), _TITLE)
    whole = [weights.get(word, 0) for word in _words(text.text)]
    if all(whole):
        return sum(whole)
    head = [weights.get(word, 0) for word in _words(text.head)]
    begun = [weight for word, weight in weights.items() if text.prefix and word.startswith(text.prefix)]
    return sum(head) + max(begun) if begun and all(head) else 0


def _words(text: str) -> Sequence[str]:
    return [word.removesuffix("s") for word in re.findall(r"\w+", text.lower())]
