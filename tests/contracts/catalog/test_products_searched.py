"""What every Products must do: searching, and refusing another list's cursor."""

from functools import partial

import pytest

from kapda.domain.catalog.listing import ProductFilter, Sort
from kapda.domain.catalog.search_text import SearchText
from kapda.domain.shared.errors import InvalidArgumentError, Reason
from kapda.domain.shared.pages import Cursor, PageRequest
from tests.contracts.catalog.asking import OpenShop, found, walk
from tests.fakes.catalog_builder import CatalogueBuilder


@pytest.mark.parametrize("cursor", [(), ("x",), ("x", "y"), ("1", "2", "3"), ("100", "not an id")])
async def test_a_cursor_that_no_list_gave_is_refused(open_shop: OpenShop, cursor: Cursor) -> None:
    products = await open_shop(CatalogueBuilder().records())
    page = PageRequest(cursor=cursor)

    for sort in Sort:
        with pytest.raises(InvalidArgumentError) as refusal:
            await products.list(ProductFilter(), sort, page)
        assert refusal.value.reason is Reason.PAGE_TOKEN_INVALID
    with pytest.raises(InvalidArgumentError):
        await products.search(SearchText.parse("saree"), ProductFilter(), page)


async def test_a_word_in_the_title_counts_more_than_one_in_the_description(
    shop: CatalogueBuilder, open_shop: OpenShop
) -> None:
    shop.add("Ajrakh stole")
    shop.add("Plain stole", description="Beside the ajrakh, of ajrakh cloth, with ajrakh on ajrakh.")
    products = await open_shop(shop.records())

    assert await found(products, "ajrakh") == ["Ajrakh stole", "Plain stole"]


async def test_a_search_finds_products_with_all_the_words_wherever_they_are(
    shop: CatalogueBuilder, open_shop: OpenShop
) -> None:
    shop.add("Ajrakh stole", description="Red silk.")
    shop.add("Ajrakh stole in cotton", description="Blue.")
    products = await open_shop(shop.records())

    assert await found(products, "silk ajrakh") == ["Ajrakh stole"]
    assert await found(products, "silk cotton") == []
    assert await found(products, "tractor") == []


@pytest.mark.parametrize("query", ["stoles", "STOLE", "fringed stoles", "fringed sto"])
async def test_a_search_minds_neither_case_nor_plural_and_completes_the_last_word(
    shop: CatalogueBuilder, open_shop: OpenShop, query: str
) -> None:
    shop.add("Fringed stole")
    shop.add("Fringed kurta")

    assert await found(await open_shop(shop.records()), query) == ["Fringed stole"]


async def test_a_search_keeps_to_the_filter(shop: CatalogueBuilder, open_shop: OpenShop) -> None:
    shop.add("Ajrakh in rust", shop.variant("Rust"))
    shop.add("Ajrakh in teal", shop.variant("Teal"))
    products = await open_shop(shop.records())

    assert await found(products, "ajrakh", ProductFilter(colours=frozenset({"Teal"}))) == ["Ajrakh in teal"]


@pytest.mark.parametrize("size", [1, 3])
async def test_pages_of_a_search_show_each_product_once_though_all_rank_the_same(
    shop: CatalogueBuilder, open_shop: OpenShop, size: int
) -> None:
    for number in range(7):
        shop.add(f"Ajrakh {number}")
    products = await open_shop(shop.records())
    seen = await walk(partial(products.search, SearchText.parse("ajrakh"), ProductFilter()), size)

    assert seen == [product.id for product in reversed(shop.products)]
