"""Services and their API keys.

Revision ID: 0012
Revises: 0011
"""

from kapda.adapters.postgres.migrations.script import first_schema_has_no_downgrade, run_script

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

SCRIPT = """
-- A service is a user without a password: '!' is no hash of anything.
ALTER TABLE users
    DROP CONSTRAINT users_role_known,
    ADD CONSTRAINT users_role_known CHECK (role IN ('customer', 'designer', 'brand', 'admin', 'service')),
    ADD CONSTRAINT users_service_has_no_password CHECK (role <> 'service' OR password_hash = '!');

CREATE TABLE api_keys (
    id uuid CONSTRAINT api_keys_pkey PRIMARY KEY,
    service_id uuid NOT NULL CONSTRAINT api_keys_service_fkey REFERENCES users ON DELETE RESTRICT,
    -- What the key is looked up by; the digest of its other half decides.
    prefix text NOT NULL CONSTRAINT api_keys_prefix_unique UNIQUE
        CONSTRAINT api_keys_prefix_shape CHECK (prefix ~ '^[a-z2-7]{8}$'),
    digest bytea NOT NULL CONSTRAINT api_keys_digest_is_sha256 CHECK (length(digest) = 32),
    scopes text[] NOT NULL CONSTRAINT api_keys_have_scopes CHECK (cardinality(scopes) > 0),
    -- The one house it is for; null for all.
    designer_id uuid CONSTRAINT api_keys_designer_fkey REFERENCES designers ON DELETE RESTRICT,
    created_at timestamptz NOT NULL,
    expires_at timestamptz,
    revoked_at timestamptz,
    last_used_at timestamptz,
    replaced_by uuid CONSTRAINT api_keys_replaced_by_fkey REFERENCES api_keys ON DELETE RESTRICT
        CONSTRAINT api_keys_replaced_once UNIQUE,
    CONSTRAINT api_keys_expire_after_creation CHECK (expires_at >= created_at),
    CONSTRAINT api_keys_of_a_house_mind_its_stock
        CHECK (designer_id IS NULL OR scopes <@ ARRAY['INVENTORY_READ', 'INVENTORY_WRITE'])
);
CREATE INDEX api_keys_service_idx ON api_keys (service_id);
CREATE INDEX api_keys_designer_idx ON api_keys (designer_id) WHERE designer_id IS NOT NULL;
"""


def upgrade() -> None:
    """Create services and API keys."""
    run_script(SCRIPT)


def downgrade() -> None:
    """Refuse: nothing stands below the first schema."""
    first_schema_has_no_downgrade()
