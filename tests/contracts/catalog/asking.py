"""Short ways to ask a catalogue."""

from collections.abc import Awaitable, Callable

from kapda.adapters.postgres.seed.records import CatalogueRecords
from kapda.domain.catalog.listing import ProductFilter, Sort
from kapda.domain.catalog.ports import Products
from kapda.domain.catalog.product import ProductSummary
from kapda.domain.catalog.search_text import SearchText
from kapda.domain.shared.ids import ProductId
from kapda.domain.shared.money import INR, Money
from kapda.domain.shared.pages import Cursor, Page, PageRequest

OpenShop = Callable[[CatalogueRecords], Awaitable[Products]]


def rupees(amount: int) -> Money:
    return Money(100 * amount, INR)


def titles(page: Page[ProductSummary]) -> list[str]:
    return [product.title for product in page.items]


async def listed(products: Products, which: ProductFilter | None = None, sort: Sort = Sort.NEWEST) -> list[str]:
    return titles(await products.list(which or ProductFilter(), sort, PageRequest()))


async def found(products: Products, query: str, which: ProductFilter | None = None) -> list[str]:
    return titles(await products.search(SearchText.parse(query), which or ProductFilter(), PageRequest()))


async def walk(ask: Callable[[PageRequest], Awaitable[Page[ProductSummary]]], size: int) -> list[ProductId]:
    seen: list[ProductId] = []
    cursor: Cursor | None = None
    while True:
        page = await ask(PageRequest(size, cursor))
        seen += [product.id for product in page.items]
        cursor = page.next_cursor
        if cursor is None:
            return seen
        assert len(page.items) == size
