"""Pieces held by callers of the inventory's port who know nothing of checkouts."""

from collections.abc import AsyncIterator

import pytest

from kapda.domain.shared.ids import HoldId
from tests.shop.shop import Shop


async def release(shop: Shop, hold_id: HoldId) -> int:
    """Give back what the hold still has; of how many variants."""
    async with shop.door().stock_unit_of_work() as uow:
        released: int = await uow.stock.release(hold_id, shop.container.clock().now(), "race")
        await uow.commit()
    return released


@pytest.fixture(autouse=True)
async def no_raw_holds(shop: Shop) -> AsyncIterator[None]:
    """After the test nothing is held or sold without a checkout behind it, which would be a promise broken: pieces are
    given back, and what was sold is called given back, for no order will ever say where it went."""
    yield
    raw = "NOT EXISTS (SELECT FROM checkouts c WHERE c.id = h.hold_id)"
    for row in await shop.sql(f"SELECT DISTINCT hold_id FROM stock_holds h WHERE state = 'held' AND {raw}"):  # noqa: S608
        await release(shop, row["hold_id"])
    await shop.sql(f"UPDATE stock_holds h SET state = 'released' WHERE state = 'sold' AND {raw}")  # noqa: S608
