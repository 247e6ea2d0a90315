"""The catalogue's read side on PostgreSQL."""

import json
from collections.abc import Callable, Mapping
from datetime import datetime
from functools import lru_cache
from uuid import UUID

import orjson
from sqlalchemy.ext.asyncio import AsyncEngine

from kapda.adapters.postgres.catalog_statements import GET, LIST, SEARCH, Part
from kapda.adapters.postgres.connection import Connection, Row
from kapda.adapters.postgres.constraint_errors import in_domain_words
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
from kapda.domain.shared.money import INR, MAX_AMOUNT_MINOR, Money
from kapda.domain.shared.pages import Cursor, Page, PageRequest

Parameters = dict[str, object]

# About a kilobyte each.
_SUMMARIES = 4_096


class PostgresProducts:
    """Published products; implements `kapda.domain.catalog.ports.Products`.

    Every method is one statement, which needs no transaction around it: that saves two round trips of three.
    """

    def __init__(self, engine: AsyncEngine) -> None:
        """Read through `engine`."""
        self._engine = engine

    async def list(self, which: ProductFilter, sort: Sort, page: PageRequest) -> Page[ProductSummary]:
        """See the port."""
        parts, parameters = _question(which, page, newest_place if sort is Sort.NEWEST else numbered_place)
        with in_domain_words():
            async with Connection(self._engine, autocommit=True) as connection:
                rows = await connection.execute(LIST[sort, parts], parameters)
        return Page.cut([_summary(row) for row in rows], page, sort.cursor_of)

    async def search(self, text: SearchText, which: ProductFilter, page: PageRequest) -> Page[ProductSummary]:
        """See the port."""
        parts, parameters = _question(which, page, numbered_place)
        prefix = f"{text.prefix}:*" if text.prefix else ""
        parameters |= {"text": text.text, "head": text.head, "prefix": prefix}
        with in_domain_words():
            async with Connection(self._engine, autocommit=True) as connection:
                rows = await connection.execute(SEARCH[parts], parameters)
        cut = Page.cut(rows, page, lambda row: (str(row["rank"]), str(row["id"])))
        return Page(tuple(_summary(row) for row in cut.items), cut.next_cursor)

    async def get(self, product_id: ProductId) -> ProductDetail | None:
        """See the port."""
        with in_domain_words():
            async with Connection(self._engine, autocommit=True) as connection:
                row = (await connection.execute(GET, {"product_id": product_id})).one_or_none()
        return _detail(row) if row is not None else None


def _question(
    which: ProductFilter, page: PageRequest, place: Callable[[Cursor], tuple[object, ProductId]]
) -> tuple[frozenset[Part], Parameters]:
    """Which statement to take, and what to bind to it."""
    parts: set[Part] = set()
    # One row more than asked shows whether there is another page.
    parameters: Parameters = {"rows": page.size + 1}
    if which.category is not None:
        parts.add(Part.CATEGORY)
        parameters["category"] = which.category
    if which.designer_id is not None:
        parts.add(Part.DESIGNER)
        parameters["designer_id"] = which.designer_id
    if which.min_price is not None or which.max_price is not None:
        parts.add(Part.PRICE)
        parameters["min_price"] = which.min_price.amount_minor if which.min_price is not None else 0
        parameters["max_price"] = which.max_price.amount_minor if which.max_price is not None else MAX_AMOUNT_MINOR
    if which.option_values():
        parts.add(Part.OPTIONS)
        parameters["options"] = [json.dumps(values) for values in which.option_values()]
    if page.cursor is not None:
        parts.add(Part.CURSOR)
        parameters["after_key"], parameters["after_id"] = place(page.cursor)
    return frozenset(parts), parameters


def _summary(row: Row) -> ProductSummary:
    return _told(
        row["id"],
        row["slug"],
        row["title"],
        row["category_slug"],
        _designer(row),
        (row["min_price_minor"], row["max_price_minor"]),
        row["variants"],
        row["published_at"],
    )


@lru_cache(_SUMMARIES)
def _told(  # noqa: PLR0917 - the columns of a row
    product_id: UUID,
    slug: str,
    title: str,
    category: str,
    designer: DesignerRef,
    prices: tuple[int, int],
    variants: str | None,
    published_at: datetime,
) -> ProductSummary:
    """What a row says, made once for as long as it says the same: every list reads its rows, and few have changed."""
    sold: list[tuple[dict[str, str], bool]] = orjson.loads(variants or "[]")
    return ProductSummary(
        id=ProductId(product_id),
        slug=slug,
        title=title,
        category=category,
        designer=designer,
        min_price=Money(prices[0], INR),
        max_price=Money(prices[1], INR),
        colours=distinct(options[COLOUR] for options, _ in sold if COLOUR in options),
        sizes=distinct(options[SIZE] for options, _ in sold if SIZE in options),
        in_stock=any(in_stock for _, in_stock in sold),
        published_at=published_at,
    )


def _detail(row: Row) -> ProductDetail:
    names: list[str] = row["option_names"]
    limit: int = row["max_quantity_per_line"]
    variants = tuple(
        VariantView(
            id=VariantId(UUID(variant_id)),
            sku=sku,
            options=_in_order(names, options),
            price=Money(price, currency),
            available=available,
            max_quantity_per_line=limit,
        )
        for variant_id, sku, options, price, currency, available in row["variants"] or []
    )
    return ProductDetail(
        id=ProductId(row["id"]),
        slug=row["slug"],
        title=row["title"],
        description=row["description"],
        category=row["category_slug"],
        designer=_designer(row),
        options=options_of(names, (variant.options for variant in variants)),
        variants=variants,
        min_price=Money(row["min_price_minor"], INR),
        max_price=Money(row["max_price_minor"], INR),
        published_at=row["published_at"],
    )


def _designer(row: Row) -> DesignerRef:
    return DesignerRef(DesignerId(row["designer_id"]), row["designer_slug"], row["designer_name"])


def _in_order(names: list[str], options: Mapping[str, str]) -> dict[str, str]:
    """The options as the product orders them; jsonb keeps its own order."""
    return {name: options[name] for name in names if name in options}
