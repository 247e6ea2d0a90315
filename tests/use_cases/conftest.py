"""What every use-case test may ask for."""

from collections.abc import Iterator

import pytest

from tests.fakes.shop import Shop


@pytest.fixture
def shop() -> Iterator[Shop]:
    """A shop on fakes, whose promises are checked after the test."""
    made = Shop()
    yield made
    made.check_promises()
