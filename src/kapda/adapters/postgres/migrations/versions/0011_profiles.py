"""Telephone numbers and address books.

Revision ID: 0011
Revises: 0010
"""

from kapda.adapters.postgres.migrations.script import run_script

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

SCRIPT = """
ALTER TABLE users
    ADD COLUMN phone text CONSTRAINT users_phone_e164 CHECK (phone ~ '^[+][1-9][0-9]{7,14}$'),
    ADD COLUMN profile_version bigint NOT NULL DEFAULT 1;

CREATE TABLE user_addresses (
    id uuid CONSTRAINT user_addresses_pkey PRIMARY KEY,
    user_id uuid NOT NULL CONSTRAINT user_addresses_user_fkey REFERENCES users ON DELETE CASCADE,
    label text NOT NULL,
    address jsonb NOT NULL,
    version bigint NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL,
    -- The entry preferred last is the preferred one.
    preferred_at timestamptz
);
CREATE INDEX user_addresses_user_idx ON user_addresses (user_id);
"""


def upgrade() -> None:
    """Add what profiles keep."""
    run_script(SCRIPT)


def downgrade() -> None:
    """Refuse: it would forget what people told us."""
    raise RuntimeError("profiles have no downgrade; restore a backup instead")
