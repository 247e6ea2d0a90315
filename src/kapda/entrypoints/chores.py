"""What runs once and ends: migrations, the seed."""

import os
import secrets
import sys
from dataclasses import asdict

import orjson

from kapda.domain.identity.password import Password
from kapda.entrypoints.container import Container
from kapda.entrypoints.lifecycle import close_container
from kapda.entrypoints.settings import Environment, Settings

# The seed's accounts get these passwords where they are set; elsewhere passwords that nobody knows.
ADMIN_PASSWORD = "KAPDA_SEED_ADMIN_PASSWORD"  # noqa: S105  (a variable's name)
DESIGNER_PASSWORD = "KAPDA_SEED_DESIGNER_PASSWORD"  # noqa: S105  (a variable's name)


async def run_migrations(settings: Settings) -> None:
    """Bring the schema up to this version."""
    await Container(settings=settings).migrate()


async def run_seed(settings: Settings) -> None:
    """Write the invented catalogue and say on stdout how much of it is new."""
    if settings.environment is Environment.PRODUCTION:
        sys.exit("the seed does not run in production")
    container = Container(settings=settings)
    hasher = container.password_hasher()
    try:
        hashes = [
            await hasher.hash(Password(os.environ.get(name) or secrets.token_urlsafe(24)))
            for name in (ADMIN_PASSWORD, DESIGNER_PASSWORD)
        ]
        summary = await container.seed(*hashes)
    finally:
        await close_container(container)
    sys.stdout.write(orjson.dumps(asdict(summary)).decode() + "\n")
