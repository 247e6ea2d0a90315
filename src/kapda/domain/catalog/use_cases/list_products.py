"""List products."""

from dataclasses import dataclass, field

from kapda.domain.catalog.listing import ProductFilter, Sort
from kapda.domain.catalog.ports import Products
from kapda.domain.catalog.product import ProductSummary
from kapda.domain.shared.pages import Page, PageRequest


@dataclass(frozen=True, slots=True)
class ListProductsCommand:
    """Which products, in which order, which page."""

    which: ProductFilter = field(default_factory=ProductFilter)
    sort: Sort = Sort.NEWEST
    page: PageRequest = field(default_factory=PageRequest)


@dataclass(frozen=True, slots=True)
class ListProducts:
    """Anybody may look through the published products."""

    products: Products

    async def execute(self, command: ListProductsCommand) -> Page[ProductSummary]:
        """A page of products. Raises InvalidArgumentError (PAGE_TOKEN_INVALID) for another list's cursor."""
        return await self.products.list(command.which, command.sort, command.page)
