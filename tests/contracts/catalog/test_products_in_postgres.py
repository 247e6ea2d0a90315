"""What only the catalogue in PostgreSQL shows: how many statements it takes, what is held, odd texts, the cap."""

from functools import partial

import asyncpg
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from kapda.adapters.postgres.catalog_statements import MAX_RANKED
from kapda.domain.catalog.listing import ProductFilter, Sort
from kapda.domain.catalog.search_text import SearchText
from kapda.domain.shared.ids import ProductId
from kapda.domain.shared.pages import PageRequest
from tests.contracts.catalog.asking import OpenShop, found, listed, rupees, walk
from tests.fakes.catalog_builder import LOOM_ID, SAREES, CatalogueBuilder


@pytest.fixture
def statements(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Every statement executed."""
    sent: list[str] = []

    async def fetch(self: asyncpg.Connection, query: str, *values: object, **options: object) -> object:
        sent.append(query)
        return await unheard(self, query, *values, **options)

    unheard = asyncpg.Connection.fetch
    monkeypatch.setattr(asyncpg.Connection, "fetch", fetch)
    return sent


@pytest.mark.parametrize("products_on_sale", [1, 60])
async def test_every_question_is_one_statement_however_many_rows_answer_it(
    shop: CatalogueBuilder, open_postgres_shop: OpenShop, statements: list[str], products_on_sale: int
) -> None:
    for number in range(products_on_sale):
        shop.add(f"Ajrakh {number}", *(shop.variant(size=size) for size in "SML"))
    products = await open_postgres_shop(shop.records())
    which = ProductFilter(category="kurtas", min_price=rupees(1), sizes=frozenset({"S", "M"}))

    for ask in (
        lambda: products.list(which, Sort.PRICE_ASCENDING, PageRequest(50)),
        lambda: products.search(SearchText.parse("ajrakh"), which, PageRequest(50)),
        lambda: products.get(ProductId(shop.products[0].id)),
    ):
        statements.clear()
        assert await ask()
        assert len(statements) == 1


async def test_every_combination_of_filters_is_a_statement_that_runs(
    shop: CatalogueBuilder, open_postgres_shop: OpenShop
) -> None:
    shop.add("Ajrakh saree", category=SAREES)
    shop.add("Ajrakh saree", category=SAREES)
    products = await open_postgres_shop(shop.records())
    words = SearchText.parse("ajrakh")
    choices = [
        ProductFilter(
            category="saree" if number & 1 else None,
            designer_id=LOOM_ID if number & 2 else None,
            min_price=rupees(500) if number & 4 else None,
            colours=frozenset({"Indigo"} if number & 8 else ()),
        )
        for number in range(16)
    ]

    for which in choices:
        for sort in Sort:
            assert len(await walk(partial(products.list, which, sort), 1)) == 2
        assert len(await walk(partial(products.search, words, which), 1)) == 2


async def test_held_pieces_are_not_available(
    shop: CatalogueBuilder, open_postgres_shop: OpenShop, engine: AsyncEngine
) -> None:
    record = shop.add("Last pieces", shop.variant(received=3))
    products = await open_postgres_shop(shop.records())
    async with engine.begin() as connection:
        await connection.execute(text("UPDATE stock SET held = 3"))
    (summary,) = (await products.list(ProductFilter(), Sort.NEWEST, PageRequest())).items
    detail = await products.get(ProductId(record.id))

    assert not summary.in_stock
    assert detail is not None
    assert [variant.available for variant in detail.variants] == [0]


@pytest.mark.parametrize(
    "query",
    [
        "'; DROP TABLE products; --",
        "a & b | !c",
        "(:*",
        "<->",
        "\\",
        '"',
        "-",
        "%",
        "or",
        "the",
        "साड़ी",
        "👗",
        "a" * 200,
    ],
)
async def test_no_text_breaks_the_search(shop: CatalogueBuilder, open_postgres_shop: OpenShop, query: str) -> None:
    shop.add("Kurta")
    products = await open_postgres_shop(shop.records())

    assert await found(products, query) == []
    assert await listed(products) == ["Kurta"]


async def test_a_search_understands_phrases_exclusions_and_alternatives(
    shop: CatalogueBuilder, open_postgres_shop: OpenShop
) -> None:
    shop.add("Silk saree")
    shop.add("Saree with silk border")
    shop.add("Cotton saree")
    products = await open_postgres_shop(shop.records())

    assert await found(products, '"silk saree"') == ["Silk saree"]
    assert await found(products, "saree -silk") == ["Cotton saree"]
    assert set(await found(products, "cotton or border")) == {"Cotton saree", "Saree with silk border"}


async def test_a_search_ranks_only_the_newest_of_very_many_matches(
    shop: CatalogueBuilder, open_postgres_shop: OpenShop
) -> None:
    for number in range(MAX_RANKED + 5):
        shop.add(f"Ajrakh {number}")
    products = await open_postgres_shop(shop.records())
    seen = await walk(lambda page: products.search(SearchText.parse("ajrakh"), ProductFilter(), page), size=100)

    assert set(seen) == {product.id for product in shop.products[5:]}
    assert len(seen) == MAX_RANKED
