"""The seed: a believable shop, the same every time, whose counters equal its ledger."""

from datetime import UTC, date, datetime
from functools import partial

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from kapda.adapters.postgres.catalog import PostgresProducts
from kapda.adapters.postgres.seed.plan import PasswordHashes, plan_catalogue
from kapda.adapters.postgres.seed.records import CatalogueRecords
from kapda.adapters.postgres.seed.seed import SeedRefusedError, SeedSummary, seed
from kapda.domain.catalog.gst import gst_rate_for
from kapda.domain.catalog.gstin import Gstin
from kapda.domain.catalog.listing import ProductFilter, Sort
from kapda.domain.shared.money import INR, Money
from kapda.domain.shared.pages import PageRequest
from tests.contracts.catalog.asking import walk
from tests.fakes.identity import CountingIds, SettableClock

HASHES = PasswordHashes(designer="designer's hash", admin="admin's hash")
NOW = datetime(2026, 3, 1, 9, 30, tzinfo=UTC)
PUBLISHED = 12 * 34


@pytest.fixture(scope="module")
def plan() -> CatalogueRecords:
    """What the seed writes."""
    return plan_catalogue(CountingIds(), NOW, HASHES)


async def _seed(engine: AsyncEngine) -> SeedSummary:
    return await seed(engine, CountingIds(), SettableClock(NOW), HASHES, production=False)


async def _value(engine: AsyncEngine, query: str) -> object:
    async with engine.connect() as connection:
        return (await connection.execute(text(query))).scalar_one()


async def test_the_seed_fills_a_shop_with_published_products(engine: AsyncEngine) -> None:
    summary = await _seed(engine)
    products = PostgresProducts(engine)
    seen = await walk(partial(products.list, ProductFilter(), Sort.NEWEST), 100)
    some = (await products.list(ProductFilter(), Sort.PRICE_ASCENDING, PageRequest(100))).items

    assert (summary.designers, summary.users, summary.products) == (12, 13, 432)
    assert summary.variants > 2_500
    assert len(set(seen)) == len(seen) == PUBLISHED
    assert any(product.in_stock for product in some)
    assert all(product.colours for product in some)


async def test_the_seed_s_counters_equal_its_ledger(engine: AsyncEngine) -> None:
    summary = await _seed(engine)
    differing = """
        SELECT count(*) FROM stock s LEFT JOIN (
            SELECT variant_id, sum(on_hand_delta) AS on_hand, sum(held_delta) AS held FROM stock_movements GROUP BY 1
        ) m USING (variant_id) WHERE (s.on_hand, s.held) <> (COALESCE(m.on_hand, 0), COALESCE(m.held, 0))
    """

    assert await _value(engine, differing) == 0
    assert await _value(engine, "SELECT count(*) FROM stock") == summary.variants
    assert await _value(engine, "SELECT sum(available) FROM stock") == summary.pieces > 0


async def test_a_second_seed_changes_nothing(engine: AsyncEngine) -> None:
    await _seed(engine)
    before = await _value(engine, "SELECT max(id) FROM stock_movements")

    assert await _seed(engine) == SeedSummary()
    assert await _value(engine, "SELECT max(id) FROM stock_movements") == before
    assert await _value(engine, "SELECT count(*) FROM products") == 432


async def test_the_seed_refuses_production(engine: AsyncEngine) -> None:
    with pytest.raises(SeedRefusedError):
        await seed(engine, CountingIds(), SettableClock(), HASHES, production=True)

    assert await _value(engine, "SELECT count(*) FROM users") == 0


def test_the_seed_makes_up_the_same_shop_every_time(plan: CatalogueRecords) -> None:
    assert plan_catalogue(CountingIds(), NOW, HASHES) == plan


@pytest.mark.parametrize("on", [date(2025, 9, 22), NOW.date()])
def test_every_seeded_price_has_a_gst_rate(plan: CatalogueRecords, on: date) -> None:
    variants = [variant for product in plan.products for variant in product.variants]
    rates = {gst_rate_for(variant.hsn_code, Money(variant.price_minor, INR), on) for variant in variants}

    assert rates == {500, 1800}


def test_every_seeded_designer_has_a_valid_gstin_and_a_user(plan: CatalogueRecords) -> None:
    designers = {user.id for user in plan.users if user.role == "designer"}

    assert len({Gstin(designer.gstin) for designer in plan.designers}) == len(plan.designers)
    assert {member for designer in plan.designers for member in designer.members} == designers
    assert [user.email for user in plan.users if user.role == "admin"] == ["admin@kapda.example"]
