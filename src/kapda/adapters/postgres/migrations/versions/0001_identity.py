"""Users and their sessions.

Revision ID: 0001
Revises:
"""

from kapda.adapters.postgres.migrations.script import first_schema_has_no_downgrade, run_script

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

SCRIPT = """
CREATE TABLE users (
    id uuid CONSTRAINT users_pkey PRIMARY KEY,
    email text NOT NULL,
    -- Lower-cased by the domain's EmailAddress; the constraint keeps any other writer honest.
    email_key text NOT NULL CONSTRAINT users_email_key_unique UNIQUE,
    display_name text NOT NULL,
    password_hash text NOT NULL,
    role text NOT NULL CONSTRAINT users_role_known CHECK (role IN ('customer', 'designer', 'brand', 'admin')),
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    CONSTRAINT users_email_key_is_folded CHECK (email_key = lower(email_key))
);

CREATE TABLE sessions (
    id uuid CONSTRAINT sessions_pkey PRIMARY KEY,
    user_id uuid NOT NULL CONSTRAINT sessions_user_fkey REFERENCES users ON DELETE CASCADE,
    created_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    revoked_at timestamptz,
    CONSTRAINT sessions_expire_after_creation CHECK (expires_at > created_at)
);
CREATE INDEX sessions_user_idx ON sessions (user_id);
-- What the revoked tokens are refilled from, every few seconds at most.
CREATE INDEX sessions_revoked_idx ON sessions (revoked_at) WHERE revoked_at IS NOT NULL;
CREATE INDEX sessions_expires_idx ON sessions (expires_at);
"""


def upgrade() -> None:
    """Create users and sessions."""
    run_script(SCRIPT)


def downgrade() -> None:
    """Refuse: nothing stands below the first schema."""
    first_schema_has_no_downgrade()
