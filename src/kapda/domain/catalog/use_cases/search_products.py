"""Search products."""

from dataclasses import dataclass, field

from kapda.domain.catalog.listing import ProductFilter
from kapda.domain.catalog.ports import Products
from kapda.domain.catalog.product import ProductSummary
from kapda.domain.catalog.search_text import SearchText
from kapda.domain.shared.pages import Page, PageRequest


@dataclass(frozen=True, slots=True)
class SearchProductsCommand:
    """What was typed, among which products, which page."""

    query: str
    which: ProductFilter = field(default_factory=ProductFilter)
    page: PageRequest = field(default_factory=PageRequest)


@dataclass(frozen=True, slots=True)
class SearchProducts:
    """Anybody may search the published products."""

    products: Products

    async def execute(self, command: SearchProductsCommand) -> Page[ProductSummary]:
        """A page of products, best first.

        Raises InvalidArgumentError for an empty or overlong query, or (PAGE_TOKEN_INVALID) for another list's cursor.
        """
        return await self.products.search(SearchText.parse(command.query), command.which, command.page)
