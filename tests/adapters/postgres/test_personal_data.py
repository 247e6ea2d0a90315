"""What an erasure does about each table that points to users: decided here, so that a new table cannot be forgotten."""

import asyncpg

# Foreign keys to users, and what becomes of their rows when the user's account is deleted.
DECIDED = {
    "carts_customer_fkey": "deleted",
    "designer_members_user_fkey": "deleted",
    "user_addresses_user_fkey": "deleted",
    "known_networks_user_fkey": "deleted",
    "audit_traces_user_fkey": "deleted; the audit log's own entries stay, and say nothing of where somebody was",
    "mails_user_fkey": "deleted",
    "mailed_links_user_fkey": "deleted",
    "sessions_user_fkey": "ended, and without network and agent",
    "checkouts_customer_fkey": "without name and street, unless an order was made of it",
    "orders_customer_fkey": "kept for tax law",
    "signing_keys_user_fkey": "none: only admins and services have them",
    "api_keys_service_fkey": "none: a service is not a customer, and only customers delete their account",
}


async def test_every_table_that_points_to_users_has_its_place_in_an_erasure(database_url: str) -> None:
    connection = await asyncpg.connect(database_url)
    try:
        found = await connection.fetch(
            "SELECT conname FROM pg_constraint WHERE contype = 'f' AND confrelid = 'users'::regclass"
        )
    finally:
        await connection.close()
    assert {row["conname"] for row in found} == set(DECIDED)
