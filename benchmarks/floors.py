"""What PostgreSQL alone does with the rows of a purchase: pgbench, at the same durability, with no kapda above it."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import asyncpg

from benchmarks.stack import Stack
from kapda.adapters.embedded import postgres_files

CONNECTIONS: Final = 16
"""As many as kapda's two pools have together; more only slow PostgreSQL down here."""

_SCRIPT: Final = Path(__file__).with_name("purchase.sql")
_PATIENCE_SECONDS: Final = 60.0
# Who buys, and what. Numbers, because pgbench draws numbers. Whoever has a checkout under way may begin no other.
_CAST = """
    CREATE SCHEMA bench;
    CREATE TABLE bench.buyers AS
        SELECT CAST(row_number() OVER (ORDER BY id) AS integer) AS number, id AS user_id
        FROM users u WHERE email LIKE 'shopper.%' AND NOT EXISTS (
            SELECT FROM checkouts c WHERE c.customer_id = u.id AND c.state IN ('opening', 'open', 'capturing'));
    CREATE UNIQUE INDEX ON bench.buyers (number);
    CREATE TABLE bench.pieces AS
        SELECT CAST(row_number() OVER (ORDER BY s.variant_id) AS integer) AS number, s.variant_id, v.product_id,
            p.designer_id
        FROM stock s JOIN variants v ON v.id = s.variant_id JOIN products p ON p.id = v.product_id
        WHERE s.available > 1000;
    CREATE UNIQUE INDEX ON bench.pieces (number);
    ANALYZE;
"""


class FloorError(Exception):
    """pgbench failed; the message is its output."""


@dataclass(frozen=True, slots=True)
class Cast:
    """How many there are to buy, and to be bought."""

    buyers: int
    pieces: int


async def cast(database_url: str) -> Cast:
    """Write down who buys what."""
    connection = await asyncpg.connect(database_url)
    try:
        await connection.execute(_CAST)
        row = await connection.fetchrow(
            "SELECT (SELECT count(*) FROM bench.buyers) AS buyers, (SELECT count(*) FROM bench.pieces) AS pieces"
        )
        return Cast(row["buyers"], row["pieces"])
    finally:
        await connection.close()


def purchases_per_second(stack: Stack, cast: Cast, seconds: float) -> float:
    """Write purchases with pgbench for so long. Raises FloorError."""
    done = postgres_files.run(
        [
            *(postgres_files.program("pgbench"), "--no-vacuum", "--protocol=prepared", f"--file={_SCRIPT}"),
            # Every client buys for one customer: two carts of one customer would only wait for each other.
            *(f"--client={min(CONNECTIONS, cast.buyers)}", "--jobs=1", f"--time={max(1, round(seconds))}"),
            f"--define=pieces={cast.pieces}",
            stack.database_url,
        ],
        timeout=seconds + _PATIENCE_SECONDS,
    )
    found = re.search(r"^tps = ([0-9.]+)", done.stdout, re.MULTILINE)
    if done.returncode != 0 or found is None:
        raise FloorError(done.stdout)
    return float(found[1])


def postgresql_version() -> str:
    """Such as 18.6."""
    told = postgres_files.run([postgres_files.program("postgres"), "--version"]).stdout
    return told.strip().rpartition(" ")[2]
