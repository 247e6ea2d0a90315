"""The real adapters as a backing: a PostgreSQL database of the test's own."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from asyncpg import UniqueViolationError
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from kapda.adapters.postgres.unit_of_work import PostgresUnitOfWork
from kapda.domain.inventory.availability import ListingState
from kapda.domain.shared.ids import VariantId
from kapda.domain.shared.jobs import Job
from kapda.domain.shared.money import Money
from tests.contracts.backing import MEERA, EveryRepository, product_number, variant_number
from tests.fakes.samples import ASHA, BINOD, NOON, RANGREZ, TERMS, rupees

# Foreign keys and the ledger's triggers stand aside for a replica: rows go in any order, far quicker than by TRUNCATE.
_AS_REPLICA = text("SET LOCAL session_replication_role = replica")
_TABLES = text(
    "SELECT quote_ident(tablename) FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'alembic_version'"
)
_RESTART_NUMBERS = text("ALTER SEQUENCE order_numbers RESTART")
_ADD_USER = text("""
    INSERT INTO users (id, email, email_key, display_name, password_hash, role, created_at, updated_at)
    VALUES (:id, :email, :email, 'Somebody', 'unset', 'customer', :at, :at)
""")
_ADD_HOUSE = text("""
    WITH category AS (INSERT INTO categories (slug, plural_slug, title) VALUES ('kurta', 'kurtas', 'Kurta')),
    house AS (
        INSERT INTO designers (id, slug, display_name, legal_name, gstin, commission_basis_points, created_at, updated_at)
        VALUES (:id, 'rangrez', 'Rangrez', 'Rangrez Private Limited', :gstin, :commission, :at, :at) RETURNING id
    )
    INSERT INTO designer_members (designer_id, user_id, created_at) SELECT id, :member, :at FROM house
""")
_ADD_VARIANT = text("""
    WITH product AS (
        INSERT INTO products (id, designer_id, category_slug, slug, title, description, option_names, state,
            max_quantity_per_line, min_price_minor, max_price_minor, published_at, created_at, updated_at)
        VALUES (:product_id, :designer_id, 'kurta', :sku, 'Handblock kurta', 'Cotton.', '{colour,size}', 'published',
            :max_quantity, :price, :price, :at, :at, :at)
        RETURNING id
    ), variant AS (
        INSERT INTO variants (id, product_id, position, sku, options, price_minor, currency, hsn_code, created_at,
            updated_at)
        SELECT :id, id, 1, :sku, '{"colour": "Indigo", "size": "M"}', :price, 'INR', :hsn_code, :at, :at FROM product
        RETURNING id
    ), stock AS (
        INSERT INTO stock (variant_id, on_hand, updated_at) SELECT id, :pieces, :at FROM variant RETURNING variant_id
    )
    INSERT INTO stock_movements (variant_id, kind, on_hand_delta, held_delta, reason, actor, created_at)
    SELECT variant_id, 'receive', :pieces, 0, 'opening', 'seed', :at FROM stock WHERE :pieces > 0
""")
_REPRICE = text("UPDATE variants SET price_minor = :price WHERE id = :id")
_TAKE_OFF_SALE = text("UPDATE variants SET active = false WHERE id = :id")
_LIST_AS = text("UPDATE products SET state = :state FROM variants v WHERE v.id = :id AND products.id = v.product_id")
_JOBS = text("SELECT entrypoint, payload FROM pgqueuer WHERE status = 'queued' ORDER BY id")


@dataclass
class PostgresBacking:
    """See Backing. Call `prepare` first."""

    engine: AsyncEngine
    already_booked: type[Exception] = UniqueViolationError

    async def prepare(self) -> None:
        """Nothing of an earlier test, and the customers, the house and its member."""
        async with self.engine.begin() as connection:
            await connection.execute(_AS_REPLICA)
            for table in (await connection.scalars(_TABLES)).all():
                await connection.execute(text(f"DELETE FROM {table}"))  # noqa: S608 - a name from the catalogue
            await connection.execute(_RESTART_NUMBERS)
        async with self.engine.begin() as connection:
            for name, user in {"asha": ASHA, "binod": BINOD, "meera": MEERA}.items():
                await connection.execute(_ADD_USER, {"id": user, "email": f"{name}@example.in", "at": NOON})
            house = {"id": RANGREZ, "gstin": TERMS.designer_gstin, "commission": TERMS.commission_basis_points}
            await connection.execute(_ADD_HOUSE, house | {"member": MEERA, "at": NOON})

    def unit_of_work(self) -> EveryRepository:
        return PostgresUnitOfWork(self.engine)

    async def stock_variant(
        self, number: int = 1, *, pieces: int = 10, price: Money | None = None, max_quantity: int = 10
    ) -> VariantId:
        variant_id = variant_number(number)
        values = {
            "id": variant_id,
            "product_id": product_number(number),
            "designer_id": RANGREZ,
            "sku": f"RNG-KURTA-{number:03}",
            "max_quantity": max_quantity,
            "price": (price or rupees(1_499)).amount_minor,
            "hsn_code": TERMS.hsn_code,
            "pieces": pieces,
            "at": NOON,
        }
        async with self.engine.begin() as connection:
            await connection.execute(_ADD_VARIANT, values)
        return variant_id

    async def reprice(self, variant_id: VariantId, price: Money) -> None:
        async with self.engine.begin() as connection:
            await connection.execute(_REPRICE, {"id": variant_id, "price": price.amount_minor})

    async def take_off_sale(self, variant_id: VariantId) -> None:
        async with self.engine.begin() as connection:
            await connection.execute(_TAKE_OFF_SALE, {"id": variant_id})

    async def list_as(self, variant_id: VariantId, listing: ListingState) -> None:
        async with self.engine.begin() as connection:
            await connection.execute(_LIST_AS, {"id": variant_id, "state": listing.value})

    async def jobs(self) -> Sequence[tuple[Job, UUID]]:
        async with self.engine.connect() as connection:
            rows = await connection.execute(_JOBS)
            return [(Job(row.entrypoint), UUID(bytes=row.payload)) for row in rows]
