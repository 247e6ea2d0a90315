"""Waiting until somebody waits."""

from tests.shop.shop import Shop
from tests.shop.wire import eventually


async def somebody_waits_for_a_lock(shop: Shop) -> None:
    """Until a session of the shop's database waits for a lock that another one has."""
    waiting = "pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"

    async def anybody() -> bool:
        return await shop.count(waiting) > 0

    await eventually(anybody)
