"""Each named constraint really refuses, by its name, and the ledger can only grow."""

from collections.abc import AsyncIterator

import asyncpg
import pytest

from kapda.adapters.postgres.constraint_errors import BY_CONSTRAINT
from tests.adapters.postgres.constraint_cases import CASES
from tests.shop.buyer import deliver, new_buyer
from tests.shop.shop import Shop

# Follows from two others (on_hand >= held >= 0): no row can break it alone. It says aloud what is promised.
IMPLIED = {"stock_on_hand_not_negative"}
# Raised by triggers, so that no catalogue lists them.
TRIGGERS = {"ledger_transaction_balances", "ledger_is_append_only", "audit_is_append_only"}


@pytest.fixture(scope="module")
async def connection(shop: Shop) -> AsyncIterator[asyncpg.Connection]:
    """A shop with rows in every table, and a connection whose changes are never committed."""
    for _ in range(2):
        await _some_of_everything(shop)
    await shop.sql(
        """WITH session AS (
               INSERT INTO sessions (id, user_id, created_at, expires_at)
               SELECT uuidv7(), id, now(), now() + interval '1 day' FROM users LIMIT 1 RETURNING id
           )
           INSERT INTO refresh_tokens (digest, session_id, issued_at, expires_at)
           SELECT sha256('one'), id, now(), now() + interval '1 day' FROM session"""
    )
    await shop.sql(
        """WITH link AS (
               INSERT INTO mailed_links (id, user_id, purpose, email_key, digest, created_at, expires_at)
               SELECT uuidv7(), id, 'unlock', email_key, sha256('link'), now(), now() + interval '1 hour'
               FROM users LIMIT 1 RETURNING id, user_id, email_key
           ), about AS (
               INSERT INTO mails (id, kind, user_id, subject_id, queued_at, next_attempt_at)
               SELECT uuidv7(), 'order_placed', user_id, uuidv7(), now(), now() FROM link
           )
           INSERT INTO mails (id, kind, address, queued_at, next_attempt_at)
           SELECT uuidv7(), 'unlock', email_key, now(), now() FROM link"""
    )
    url = shop.container.settings().database_url.get_secret_value()
    made = await asyncpg.connect(url)
    yield made
    await made.close()


async def _some_of_everything(shop: Shop) -> None:
    """Two orders, a case of money for a superseded checkout, and a checkout still open."""
    buyer = await new_buyer(shop)
    one, two = await shop.variants(2)
    await buyer.add(two)
    superseded = await buyer.checks_out_one(one)
    late = await buyer.pay(superseded)
    await buyer.add(one)
    checkout = await buyer.check_out()
    await deliver(shop, await buyer.pay(checkout))
    await deliver(shop, late)
    await buyer.checks_out_one(one)


@pytest.mark.parametrize(
    ("name", "statement"), CASES, ids=[f"{number}-{name}" for number, (name, _) in enumerate(CASES)]
)
async def test_a_statement_that_breaks_it_is_refused_by_name(
    connection: asyncpg.Connection, name: str, statement: str
) -> None:
    transaction = connection.transaction()
    await transaction.start()
    try:
        with pytest.raises(asyncpg.IntegrityConstraintViolationError) as refused:
            # What would only be checked at the commit is checked now.
            await connection.execute(f"{statement}; SET CONSTRAINTS ALL IMMEDIATE")
    finally:
        await transaction.rollback()
    assert refused.value.constraint_name == name


async def test_every_constraint_of_the_schema_has_a_case(connection: asyncpg.Connection) -> None:
    rows = await connection.fetch(
        """SELECT conname AS name FROM pg_constraint
           WHERE contype IN ('c', 'u', 'x') AND connamespace = 'public'::regnamespace
             AND conrelid::regclass::text NOT LIKE 'pgqueuer%'
           UNION SELECT relname FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
           WHERE i.indisunique AND NOT i.indisprimary AND c.relnamespace = 'public'::regnamespace
             AND i.indrelid::regclass::text NOT LIKE 'pgqueuer%'"""
    )
    names = {row["name"] for row in rows}
    assert names | TRIGGERS == {name for name, _ in CASES} | IMPLIED


async def test_every_constraint_that_has_a_meaning_exists(connection: asyncpg.Connection) -> None:
    known = {name for name, _ in CASES} | IMPLIED
    assert set(BY_CONSTRAINT) <= known


async def test_foreign_keys_and_primary_keys_have_names_of_ours(connection: asyncpg.Connection) -> None:
    rows = await connection.fetch(
        """SELECT conname AS name, conrelid::regclass::text AS of FROM pg_constraint
           WHERE contype IN ('f', 'p') AND connamespace = 'public'::regnamespace
             AND conrelid::regclass::text NOT LIKE 'pgqueuer%' AND conrelid::regclass::text <> 'alembic_version'"""
    )
    assert all(row["name"].startswith(row["of"]) and row["name"].endswith(("_fkey", "_pkey")) for row in rows)


async def test_the_books_balance_by_currency_however_many_statements_write_them(connection: asyncpg.Connection) -> None:
    transaction = connection.transaction()
    await transaction.start()
    try:
        entry = """INSERT INTO ledger_entries (transaction_id, position, account, amount_minor, currency)
            SELECT id, $1, 'gateway_receivable', $2, $3 FROM ledger_transactions LIMIT 1"""
        await connection.execute(entry, 97, 5, "INR")
        await connection.execute(entry, 98, -5, "INR")
        await connection.execute("SET CONSTRAINTS ALL IMMEDIATE")
        await connection.execute("SET CONSTRAINTS ALL DEFERRED")
        await connection.execute(entry, 95, 5, "INR")
        await connection.execute(entry, 96, -5, "USD")
        with pytest.raises(asyncpg.CheckViolationError) as refused:
            await connection.execute("SET CONSTRAINTS ALL IMMEDIATE")
    finally:
        await transaction.rollback()
    assert refused.value.constraint_name == "ledger_transaction_balances"
