"""What the catalogue needs from outside."""

from typing import Protocol

from kapda.domain.catalog.listing import ProductFilter, Sort
from kapda.domain.catalog.product import ProductDetail, ProductSummary
from kapda.domain.catalog.search_text import SearchText
from kapda.domain.shared.ids import ProductId
from kapda.domain.shared.pages import Page, PageRequest


class Products(Protocol):
    """Published products, to be read by anybody. What is not published does not exist here.

    Stock is as of the call. Each method is one question to the store, however many products answer it.
    """

    async def list(self, which: ProductFilter, sort: Sort, page: PageRequest) -> Page[ProductSummary]:
        """Products in order. The cursor is `sort.cursor_of` the last product; raises InvalidArgumentError
        (PAGE_TOKEN_INVALID) for one that is not."""
        ...

    async def search(self, text: SearchText, which: ProductFilter, page: PageRequest) -> Page[ProductSummary]:
        """Products with the words, best first: a word in the title counts more than one in the category, and that more
        than one in the description. Grammatical forms of an English word are the same word.

        Only so many matches as the store cares to rank are given, the newest ones. The cursor is (rank, product id);
        raises InvalidArgumentError (PAGE_TOKEN_INVALID) for one that is not.
        """
        ...

    async def get(self, product_id: ProductId) -> ProductDetail | None:
        """The product with its variants on sale, or None."""
        ...
