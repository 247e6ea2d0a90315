"""Carts and their lines.

Revision ID: 0004
Revises: 0003
"""

from kapda.adapters.postgres.migrations.script import first_schema_has_no_downgrade, run_script

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

SCRIPT = """
CREATE TABLE carts (
    id uuid CONSTRAINT carts_pkey PRIMARY KEY,
    customer_id uuid CONSTRAINT carts_customer_unique UNIQUE
        CONSTRAINT carts_customer_fkey REFERENCES users ON DELETE CASCADE,
    -- SHA-256 of the token that opens a guest's cart. The token itself is kept nowhere.
    guest_token_digest bytea CONSTRAINT carts_guest_token_unique UNIQUE
        CONSTRAINT carts_guest_token_is_sha256 CHECK (octet_length(guest_token_digest) = 32),
    version bigint NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    CONSTRAINT carts_have_one_owner CHECK (num_nonnulls(customer_id, guest_token_digest) = 1)
);
CREATE INDEX carts_expiry_idx ON carts (expires_at);

CREATE TABLE cart_lines (
    cart_id uuid NOT NULL CONSTRAINT cart_lines_cart_fkey REFERENCES carts ON DELETE CASCADE,
    variant_id uuid NOT NULL CONSTRAINT cart_lines_variant_fkey REFERENCES variants ON DELETE RESTRICT,
    quantity integer NOT NULL CONSTRAINT cart_lines_quantity_positive CHECK (quantity > 0),
    -- The price the customer saw when the line was made.
    unit_price_minor bigint NOT NULL CONSTRAINT cart_lines_price_positive CHECK (unit_price_minor > 0),
    currency text NOT NULL CONSTRAINT cart_lines_currency_inr CHECK (currency = 'INR'),
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    CONSTRAINT cart_lines_pkey PRIMARY KEY (cart_id, variant_id)
);
CREATE INDEX cart_lines_variant_idx ON cart_lines (variant_id);
"""


def upgrade() -> None:
    """Create carts."""
    run_script(SCRIPT)


def downgrade() -> None:
    """Refuse: nothing stands below the first schema."""
    first_schema_has_no_downgrade()
