"""Signing keys, and the nonces of what they signed.

Revision ID: 0013
Revises: 0012
"""

from kapda.adapters.postgres.migrations.script import first_schema_has_no_downgrade, run_script

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

SCRIPT = """
-- Without the secret, which is made from the id whenever it is needed.
CREATE TABLE signing_keys (
    id uuid CONSTRAINT signing_keys_pkey PRIMARY KEY,
    user_id uuid NOT NULL CONSTRAINT signing_keys_user_fkey REFERENCES users ON DELETE RESTRICT,
    created_at timestamptz NOT NULL,
    revoked_at timestamptz
);
CREATE INDEX signing_keys_user_idx ON signing_keys (user_id);

-- Written in the transaction of the operation that was signed, kept until no clock accepts the signature any more.
CREATE TABLE request_nonces (
    key_id uuid NOT NULL CONSTRAINT request_nonces_key_fkey REFERENCES signing_keys ON DELETE RESTRICT,
    nonce text NOT NULL,
    signed_at timestamptz NOT NULL,
    CONSTRAINT request_nonces_pkey PRIMARY KEY (key_id, nonce)
);
CREATE INDEX request_nonces_signed_idx ON request_nonces (signed_at);
"""


def upgrade() -> None:
    """Create signing keys and nonces."""
    run_script(SCRIPT)


def downgrade() -> None:
    """Refuse: nothing stands below the first schema."""
    first_schema_has_no_downgrade()
