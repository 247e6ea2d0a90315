"""Anybody may list, search and see published products."""

from uuid import UUID

import pytest

from kapda.domain.catalog.listing import ProductFilter, Sort
from kapda.domain.catalog.use_cases.get_product import GetProduct, GetProductCommand
from kapda.domain.catalog.use_cases.list_products import ListProducts, ListProductsCommand
from kapda.domain.catalog.use_cases.search_products import SearchProducts, SearchProductsCommand
from kapda.domain.shared.errors import InvalidArgumentError, NotFoundError, Reason
from kapda.domain.shared.ids import ProductId
from kapda.domain.shared.pages import PageRequest
from tests.fakes.catalog import InMemoryProducts
from tests.fakes.catalog_builder import SAREES, CatalogueBuilder


@pytest.fixture
def shop() -> CatalogueBuilder:
    """Three sarees, the second the cheapest, and a draft kurta."""
    made = CatalogueBuilder()
    for title, rupees in (("Ajrakh saree", 3_000), ("Ikat saree", 1_000), ("Ajrakh silk saree", 2_000)):
        made.add(title, made.variant(rupees=rupees), category=SAREES)
    made.add("Ajrakh kurta", state="draft")
    return made


async def test_a_list_is_the_newest_page_of_everything_when_nothing_is_said(shop: CatalogueBuilder) -> None:
    page = await ListProducts(InMemoryProducts(shop.records())).execute(ListProductsCommand())

    assert [product.title for product in page.items] == ["Ajrakh silk saree", "Ikat saree", "Ajrakh saree"]
    assert page.next_cursor is None


async def test_a_list_goes_on_after_a_page_in_the_order_asked_for(shop: CatalogueBuilder) -> None:
    list_products = ListProducts(InMemoryProducts(shop.records()))
    which = ProductFilter(category="sarees")
    first = await list_products.execute(ListProductsCommand(which, Sort.PRICE_ASCENDING, PageRequest(2)))
    last = await list_products.execute(
        ListProductsCommand(which, Sort.PRICE_ASCENDING, PageRequest(2, first.next_cursor))
    )

    assert [product.title for product in first.items] == ["Ikat saree", "Ajrakh silk saree"]
    assert [product.title for product in last.items] == ["Ajrakh saree"]
    assert last.next_cursor is None


async def test_a_search_finds_what_was_typed_so_far(shop: CatalogueBuilder) -> None:
    search = SearchProducts(InMemoryProducts(shop.records()))
    page = await search.execute(SearchProductsCommand("  saree AJR "))

    assert {product.title for product in page.items} == {"Ajrakh saree", "Ajrakh silk saree"}


@pytest.mark.parametrize("query", ["", "  ", "a" * 201])
async def test_an_empty_or_overlong_search_is_refused(shop: CatalogueBuilder, query: str) -> None:
    with pytest.raises(InvalidArgumentError) as refusal:
        await SearchProducts(InMemoryProducts(shop.records())).execute(SearchProductsCommand(query))
    assert refusal.value.reason is Reason.VALIDATION_FAILED


async def test_a_published_product_is_shown(shop: CatalogueBuilder) -> None:
    product_id = ProductId(shop.products[1].id)
    product = await GetProduct(InMemoryProducts(shop.records())).execute(GetProductCommand(product_id))

    assert (product.id, product.title) == (product_id, "Ikat saree")


async def test_a_draft_and_a_product_that_never_was_are_refused_alike(shop: CatalogueBuilder) -> None:
    get = GetProduct(InMemoryProducts(shop.records()))
    for product_id in (ProductId(shop.products[-1].id), ProductId(UUID(int=404))):
        with pytest.raises(NotFoundError) as refusal:
            await get.execute(GetProductCommand(product_id))
        assert refusal.value.reason is Reason.PRODUCT_NOT_FOUND
        assert refusal.value.metadata == {"product_id": str(product_id)}
