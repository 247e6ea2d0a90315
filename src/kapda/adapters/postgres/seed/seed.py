"""Fills an empty shop."""

from dataclasses import dataclass

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from kapda.adapters.postgres.seed.houses import HOUSES
from kapda.adapters.postgres.seed.plan import PasswordHashes, plan_catalogue
from kapda.adapters.postgres.seed.write import write_catalogue
from kapda.domain.shared.clock import Clock
from kapda.domain.shared.ids import IdGenerator

# One seeding at a time; the lock goes with the transaction.
_LOCK = text("SELECT pg_advisory_xact_lock(hashtext('kapda.seed'))")
# All is written in one transaction, so one designer's presence tells of everything.
_IS_SEEDED = text("SELECT EXISTS (SELECT FROM designers WHERE slug = :slug)")


class SeedRefusedError(RuntimeError):
    """Invented goods do not belong in a real shop."""


@dataclass(frozen=True, slots=True)
class SeedSummary:
    """What was written; all zero when it was there before."""

    users: int = 0
    designers: int = 0
    products: int = 0
    variants: int = 0
    pieces: int = 0


async def seed(
    engine: AsyncEngine, ids: IdGenerator, clock: Clock, hashes: PasswordHashes, *, production: bool
) -> SeedSummary:
    """Write the invented catalogue in one transaction, unless it is there. A second run changes nothing.

    Raises SeedRefusedError in production.
    """
    if production:
        raise SeedRefusedError("the seed does not run in production")
    async with engine.begin() as connection:
        await connection.execute(_LOCK)
        if (await connection.execute(_IS_SEEDED, {"slug": HOUSES[0].slug})).scalar_one():
            return SeedSummary()
        now = clock.now()
        records = plan_catalogue(ids, now, hashes)
        await write_catalogue(connection, records, now)
    variants = [variant for product in records.products for variant in product.variants]
    return SeedSummary(
        users=len(records.users),
        designers=len(records.designers),
        products=len(records.products),
        variants=len(variants),
        pieces=sum(variant.received for variant in variants),
    )
