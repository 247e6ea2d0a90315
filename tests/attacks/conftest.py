"""One stage a module: its own database, its own server."""

from collections.abc import AsyncIterator

import pytest

from tests.attacks.plot import set_stage
from tests.attacks.stage import Stage
from tests.shop.shop import Shop


@pytest.fixture(scope="module")
async def stage(shop: Shop) -> AsyncIterator[Stage]:
    """The real server, and everybody."""
    async with set_stage(shop) as ready:
        yield ready
