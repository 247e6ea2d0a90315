"""Writes a whole catalogue: one statement a table, the rows as one JSON document each."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict
from datetime import datetime

import orjson
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from kapda.adapters.postgres.seed.records import CatalogueRecords

Row = Mapping[str, object]

_USERS = text("""
INSERT INTO users (id, email, email_key, display_name, password_hash, role, created_at, updated_at)
SELECT id, email, lower(email), display_name, password_hash, role,
    CAST(:now AS timestamptz), CAST(:now AS timestamptz)
FROM jsonb_to_recordset(CAST(:rows AS jsonb))
    AS r (id uuid, email text, display_name text, password_hash text, role text)
""")

_DESIGNERS = text("""
INSERT INTO designers (id, slug, display_name, legal_name, gstin, commission_basis_points, created_at, updated_at)
SELECT id, slug, display_name, legal_name, gstin, commission_basis_points,
    CAST(:now AS timestamptz), CAST(:now AS timestamptz)
FROM jsonb_to_recordset(CAST(:rows AS jsonb))
    AS r (id uuid, slug text, display_name text, legal_name text, gstin text, commission_basis_points integer)
""")

_MEMBERS = text("""
INSERT INTO designer_members (designer_id, user_id, created_at)
SELECT designer_id, user_id, CAST(:now AS timestamptz)
FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS r (designer_id uuid, user_id uuid)
""")

_CATEGORIES = text("""
INSERT INTO categories (slug, plural_slug, title)
SELECT slug, plural_slug, title
FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS r (slug text, plural_slug text, title text)
""")

_PRODUCTS = text("""
INSERT INTO products (id, designer_id, category_slug, slug, title, description, option_names, state,
    max_quantity_per_line, min_price_minor, max_price_minor, published_at, created_at, updated_at)
SELECT id, designer_id, category_slug, slug, title, description, option_names, state,
    max_quantity_per_line, min_price_minor, max_price_minor, published_at,
    CAST(:now AS timestamptz), CAST(:now AS timestamptz)
FROM jsonb_to_recordset(CAST(:rows AS jsonb))
    AS r (id uuid, designer_id uuid, category_slug text, slug text, title text, description text, option_names text[],
        state text, max_quantity_per_line integer, min_price_minor bigint, max_price_minor bigint,
        published_at timestamptz)
""")

_VARIANTS = text("""
INSERT INTO variants (id, product_id, position, sku, options, price_minor, currency, hsn_code, active,
    created_at, updated_at)
SELECT id, product_id, position, sku, options, price_minor, 'INR', hsn_code, active,
    CAST(:now AS timestamptz), CAST(:now AS timestamptz)
FROM jsonb_to_recordset(CAST(:rows AS jsonb))
    AS r (id uuid, product_id uuid, position integer, sku text, options jsonb, price_minor bigint, hsn_code text,
        active boolean)
""")

# The counters and the movement that explains them come from the same number.
_STOCK = text("""
WITH received AS (
    SELECT id, received FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS r (id uuid, received integer)
), counted AS (
    INSERT INTO stock (variant_id, on_hand, updated_at) SELECT id, received, CAST(:now AS timestamptz) FROM received
)
INSERT INTO stock_movements (variant_id, kind, on_hand_delta, held_delta, reason, actor, created_at)
SELECT id, 'receive', received, 0, 'opening stock', 'seed', CAST(:now AS timestamptz) FROM received WHERE received > 0
""")

# After a bulk load the planner knows nothing of the tables until autovacuum comes by.
_ANALYZE = text("ANALYZE categories, designers, products, variants, stock")


async def write_catalogue(connection: AsyncConnection, records: CatalogueRecords, now: datetime) -> None:
    """Insert everything in the connection's transaction; an id or unique name already there raises IntegrityError."""
    variants = [
        asdict(variant) | {"product_id": product.id, "position": position}
        for product in records.products
        for position, variant in enumerate(product.variants)
    ]
    products = [
        {key: value for key, value in asdict(product).items() if key != "variants"}
        | {"min_price_minor": min(product.prices), "max_price_minor": max(product.prices)}
        for product in records.products
    ]
    members = [
        {"designer_id": designer.id, "user_id": user_id}
        for designer in records.designers
        for user_id in designer.members
    ]
    await connection.execute(_USERS, _bound(map(asdict, records.users), now))
    await connection.execute(_DESIGNERS, _bound(map(asdict, records.designers), now))
    await connection.execute(_MEMBERS, _bound(members, now))
    await connection.execute(_CATEGORIES, _rows(map(asdict, records.categories)))
    await connection.execute(_PRODUCTS, _bound(products, now))
    await connection.execute(_VARIANTS, _bound(variants, now))
    await connection.execute(_STOCK, _bound(variants, now))
    await connection.execute(_ANALYZE)


def _bound(rows: Iterable[Row], now: datetime) -> dict[str, object]:
    return _rows(rows) | {"now": now}


def _rows(rows: Iterable[Row]) -> dict[str, object]:
    return {"rows": orjson.dumps(list(rows)).decode()}
