"""The shop as a fixture: inside the test's own process, or as a stack of processes.

Imports wait until a shop is asked for, so that tests without one do not depend on all of it.
"""

import itertools
from collections.abc import AsyncIterator, Iterator
from typing import TYPE_CHECKING

import asyncpg
import pytest

from kapda.adapters.embedded.postgres import EmbeddedPostgres
from kapda.adapters.embedded.valkey import EmbeddedValkey

if TYPE_CHECKING:
    from kapda.entrypoints.cli.stack import Stack
    from tests.shop.shop import Shop
    from tests.shop.wire import Wire

_numbers = itertools.count(1)


@pytest.fixture(scope="module")
async def shop(
    postgres_server: EmbeddedPostgres, postgres_template: str, valkey_server: EmbeddedValkey
) -> AsyncIterator["Shop"]:
    """Three processes' worth of wiring on one database, every connection open already.

    One a module, because the tests of a module need not notice each other.
    """
    from tests.shop.shop import open_shop  # noqa: PLC0415  (see the module's text)

    name = f"shop_{next(_numbers)}"
    admin = await asyncpg.connect(postgres_server.url())
    try:
        await admin.execute(f"CREATE DATABASE {name} TEMPLATE {postgres_template} STRATEGY WAL_LOG")
        async with open_shop(postgres_server.url(name), valkey_server.url(), processes=3) as opened:
            await opened.warm()
            yield opened
        await admin.execute(f"DROP DATABASE {name} WITH (FORCE)")
    finally:
        await admin.close()


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator["Stack"]:
    """PostgreSQL, Valkey, the emulator, and kapda's server, shim and worker, as processes of their own.

    One a run: a test that stops something starts it again.
    """
    from kapda.entrypoints.cli.stack import running_stack  # noqa: PLC0415  (see the module's text)
    from tests.shop.wire import ADMIN_PASSWORD  # noqa: PLC0415  (see the module's text)

    # Whoever is at this machine is taken for our gateway: a test may call from any address, by x-forwarded-for.
    given = {"KAPDA_SEED_ADMIN_PASSWORD": ADMIN_PASSWORD, "KAPDA_TRUSTED_PROXIES": "127.0.0.0/8"}
    with running_stack(tmp_path_factory.mktemp("stack"), given) as running:
        yield running


@pytest.fixture
async def wire(stack: "Stack") -> AsyncIterator["Wire"]:
    """Connections of this test's own to a stack in which everything runs.

    A test that failed half-way may have left something stopped or going wrong; the next one is not to fail for that.
    """
    from tests.shop.processes import revive  # noqa: PLC0415  (see the module's text)
    from tests.shop.wire import reach  # noqa: PLC0415  (see the module's text)

    revive(stack)
    stack.supervisor.check()
    async with reach(stack) as connected:
        await connected.gateway_behaves()
        yield connected
