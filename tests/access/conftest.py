"""One stage a module, and a crowd before it."""

from collections.abc import AsyncIterator

import pytest

from kapda.domain.shared.ids import DesignerId
from tests.access.crowd import Crowd
from tests.attacks.plot import set_stage
from tests.fakes.catalog_builder import LOOM
from tests.shop.shop import Shop


@pytest.fixture(scope="module")
async def crowd(shop: Shop) -> AsyncIterator[Crowd]:
    """Somebody of every kind before the real server."""
    async with set_stage(shop) as stage:
        made = Crowd(stage)
        await made.enter(DesignerId(LOOM.id))
        yield made
