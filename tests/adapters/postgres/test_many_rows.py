"""F41: a list is a page by an index, however many rows there are. What is measured are rows and blocks, never time."""

import json
from collections.abc import Awaitable, Callable, Iterator
from functools import partial
from typing import Any

import asyncpg
import pytest

from kapda.domain.catalog.listing import Sort
from kapda.domain.catalog.use_cases.list_products import ListProductsCommand
from kapda.domain.inventory.use_cases.explain_availability import ExplainAvailabilityCommand
from kapda.domain.inventory.use_cases.list_stock_movements import ListStockMovementsCommand
from kapda.domain.orders.use_cases.list_orders import ListOrdersCommand
from kapda.domain.shared.ids import VariantId
from kapda.domain.shared.pages import PageRequest
from tests.shop.buyer import Buyer, new_buyer
from tests.shop.shop import Shop
from tests.shop.statements import Statements

FEW, MANY = 20_000, 1_000_000
# Of a page of twenty: its rows, those of what is joined to each, and the ways to them through the indexes.
MOST_ROWS, MOST_BLOCKS = 400, 1_000
PAGE = PageRequest(20)

# Copies of the one row that there is, so that a column more needs no line here. Nothing is checked that points elsewhere.
_ORDERS = """
INSERT INTO orders SELECT made.* FROM (SELECT o FROM orders o LIMIT 1) AS one, generate_series(1, $1) AS n,
    jsonb_populate_record(one.o, jsonb_build_object('id', uuidv7(), 'number', 'X' || n, 'checkout_id', uuidv7(),
        'payment_id', uuidv7())) AS made
"""
_ORDER_LINES = """
INSERT INTO order_lines SELECT made.* FROM (SELECT l FROM order_lines l LIMIT 1) AS one, orders o,
    jsonb_populate_record(one.l, jsonb_build_object('order_id', o.id)) AS made WHERE o.number LIKE 'X%'
"""
_MOVEMENTS = """
INSERT INTO stock_movements (variant_id, kind, on_hand_delta, held_delta, reason, actor, created_at)
SELECT $2, 'adjust', CASE n % 2 WHEN 0 THEN 1 ELSE -1 END, 0, 'counted', 'test', now() FROM generate_series(1, $1) AS n
"""
_PRODUCTS = """
WITH made AS (
    INSERT INTO products (id, designer_id, category_slug, slug, title, description, option_names, state, min_price_minor,
        max_price_minor, published_at, created_at, updated_at)
    SELECT uuidv7(), p.designer_id, p.category_slug, 'x-' || n, p.title, p.description, p.option_names, 'published',
        p.min_price_minor + n % 1000, p.min_price_minor + n % 1000, now() - make_interval(secs => n), now(), now()
    FROM (SELECT * FROM products LIMIT 1) AS p, generate_series(1, $1) AS n
    RETURNING id, slug, min_price_minor
)
INSERT INTO variants (id, product_id, position, sku, options, price_minor, currency, hsn_code, created_at, updated_at)
SELECT uuidv7(), made.id, 1, made.slug, v.options, made.min_price_minor, v.currency, v.hsn_code, now(), now()
FROM made, (SELECT * FROM variants LIMIT 1) AS v
"""
_STOCK = """
INSERT INTO stock (variant_id, on_hand, updated_at) SELECT id, 1, now() FROM variants WHERE sku LIKE 'x-%'
"""
_BIG = ("orders", "order_lines", "stock_movements", "products", "variants", "stock")


async def fill(shop: Shop, count: int, variant: VariantId) -> None:
    """So many orders of one customer, movements of one variant and products in one category."""
    connection = await asyncpg.connect(shop.container.settings().database_url.get_secret_value())
    try:
        # Foreign keys are triggers, and this is not about them.
        await connection.execute("SET session_replication_role = replica")
        await connection.execute(_ORDERS, count)
        await connection.execute(_ORDER_LINES)
        await connection.execute(_MOVEMENTS, count, variant)
        await connection.execute(_PRODUCTS, count)
        await connection.execute(_STOCK)
        await connection.execute(f"VACUUM ANALYZE {', '.join(_BIG)}")
    finally:
        await connection.close()


async def plans(shop: Shop, call: Callable[[], Awaitable[object]]) -> list[Any]:
    """What PostgreSQL did for each statement of the call."""
    statements = Statements()
    async with statements.of(shop.container):
        await call()
    assert statements.asked
    connection = await asyncpg.connect(shop.container.settings().database_url.get_secret_value())
    try:
        # As the pools of the server do.
        await connection.execute("SET plan_cache_mode = force_custom_plan; SET jit = off")
        found = [
            await connection.fetchval(f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {text}", *args)
            for text, args in statements.asked
        ]
    finally:
        await connection.close()
    return [json.loads(one)[0]["Plan"] for one in found]


def nodes(plan: Any) -> Iterator[Any]:
    """Every step of a plan."""
    yield plan
    for inner in plan.get("Plans", []):
        yield from nodes(inner)


def touched(plan: Any) -> tuple[float, int]:
    """Rows that were looked at in tables, those that were thrown away included; and blocks."""
    rows = sum(
        (node["Actual Rows"] + node.get("Rows Removed by Filter", 0) + node.get("Rows Removed by Index Recheck", 0))
        * node["Actual Loops"]
        for node in nodes(plan)
        if "Relation Name" in node
    )
    return rows, plan["Shared Hit Blocks"] + plan["Shared Read Blocks"]


@pytest.fixture(scope="module", params=[FEW, pytest.param(MANY, marks=pytest.mark.torture)], ids=["few", "a million"])
async def full(request: pytest.FixtureRequest, shop: Shop) -> tuple[Shop, Buyer, VariantId]:
    """A shop of one process, filled."""
    alone = Shop(shop.containers[:1], shop.http, shop.catalogue)
    variant, buyer = await alone.variant(pieces=50), await new_buyer(alone)
    await buyer.buys(variant)
    await fill(alone, request.param, variant)
    return alone, buyer, variant


@pytest.mark.timeout(900)
async def test_f41_a_page_touches_a_page_of_rows_however_many_there_are(full: tuple[Shop, Buyer, VariantId]) -> None:
    shop, buyer, variant = full
    container, admin = shop.container, await shop.admin()
    orders, movements = container.list_orders().execute, container.list_stock_movements().execute
    products = container.list_products().execute
    second_orders = (await orders(ListOrdersCommand(buyer.id, PAGE))).next_cursor
    second_movements = (await movements(ListStockMovementsCommand(admin, variant, PAGE))).next_cursor
    calls: dict[str, Callable[[], Awaitable[object]]] = {
        "orders": partial(orders, ListOrdersCommand(buyer.id, PAGE)),
        "more orders": partial(orders, ListOrdersCommand(buyer.id, PageRequest(20, second_orders))),
        "movements": partial(movements, ListStockMovementsCommand(admin, variant, PAGE)),
        "more movements": partial(
            movements, ListStockMovementsCommand(admin, variant, PageRequest(20, second_movements))
        ),
        "availability": partial(container.explain_availability().execute, ExplainAvailabilityCommand(admin, variant)),
    }
    for sort in Sort:
        first = ListProductsCommand(sort=sort, page=PAGE)
        calls[f"products, {sort.name}"] = partial(products, first)
        more = (await products(first)).next_cursor
        calls[f"more products, {sort.name}"] = partial(
            products, ListProductsCommand(sort=sort, page=PageRequest(20, more))
        )
    for name, call in calls.items():
        for plan in await plans(shop, call):
            scanned = {node["Relation Name"] for node in nodes(plan) if node["Node Type"] == "Seq Scan"}
            assert not scanned & set(_BIG), (name, scanned)
            rows, blocks = touched(plan)
            assert rows <= MOST_ROWS, (name, rows)
            assert blocks <= MOST_BLOCKS, (name, blocks)
