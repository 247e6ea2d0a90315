"""How every test of races, faults and crashes ends, whether it says so or not: with the books."""

from collections.abc import AsyncIterator

import pytest


@pytest.fixture(autouse=True)
async def every_paisa_is_found(request: pytest.FixtureRequest) -> AsyncIterator[None]:
    """After a test with a shop every promise holds, and captured = orders + refunds + open cases, to the paisa.

    For whoever imports it into a conftest. The shop is a module's own, so it is there before any test of the module.
    """
    if "shop" not in request.fixturenames:
        yield
        return
    from tests.shop.desk import check_books  # noqa: PLC0415  (see `fixtures`)

    shop = request.getfixturevalue("shop")
    yield
    await check_books(shop)
