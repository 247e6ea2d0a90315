"""Designers, categories, products and variants.

Revision ID: 0002
Revises: 0001
"""

from kapda.adapters.postgres.migrations.script import first_schema_has_no_downgrade, run_script

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

SCRIPT = """
CREATE TABLE designers (
    id uuid CONSTRAINT designers_pkey PRIMARY KEY,
    slug text NOT NULL CONSTRAINT designers_slug_unique UNIQUE,
    display_name text NOT NULL,
    legal_name text NOT NULL,
    -- Frozen on every order line, so that a tax invoice can be made from the sale as it was.
    gstin text NOT NULL CONSTRAINT designers_gstin_shape CHECK (gstin ~ '^[0-9]{2}[A-Z]{5}[0-9]{4}[A-Z][0-9A-Z]Z[0-9A-Z]$'),
    commission_basis_points integer NOT NULL
        CONSTRAINT designers_commission_range CHECK (commission_basis_points BETWEEN 0 AND 10000),
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL
);

CREATE TABLE designer_members (
    designer_id uuid NOT NULL CONSTRAINT designer_members_designer_fkey REFERENCES designers ON DELETE CASCADE,
    user_id uuid NOT NULL CONSTRAINT designer_members_user_fkey REFERENCES users ON DELETE CASCADE,
    created_at timestamptz NOT NULL,
    CONSTRAINT designer_members_pkey PRIMARY KEY (designer_id, user_id)
);
CREATE INDEX designer_members_user_idx ON designer_members (user_id);

-- A category is one thing under two spellings: kurta and kurtas are the same shelf.
CREATE TABLE categories (
    slug text CONSTRAINT categories_pkey PRIMARY KEY,
    plural_slug text NOT NULL CONSTRAINT categories_plural_slug_unique UNIQUE,
    title text NOT NULL
);

CREATE TABLE products (
    id uuid CONSTRAINT products_pkey PRIMARY KEY,
    designer_id uuid NOT NULL CONSTRAINT products_designer_fkey REFERENCES designers ON DELETE RESTRICT,
    category_slug text NOT NULL CONSTRAINT products_category_fkey REFERENCES categories ON DELETE RESTRICT,
    slug text NOT NULL CONSTRAINT products_slug_unique UNIQUE,
    title text NOT NULL,
    description text NOT NULL,
    -- The names of the options in the order they are shown, such as {colour,size}.
    option_names text[] NOT NULL,
    state text NOT NULL CONSTRAINT products_state_known
        CHECK (state IN ('draft', 'submitted', 'approved', 'rejected', 'published', 'archived')),
    max_quantity_per_line integer NOT NULL DEFAULT 10
        CONSTRAINT products_max_quantity_range CHECK (max_quantity_per_line BETWEEN 1 AND 1000),
    -- The cheapest variant's price, kept here so that a list can be sorted and cut without reading variants.
    min_price_minor bigint NOT NULL CONSTRAINT products_min_price_positive CHECK (min_price_minor > 0),
    max_price_minor bigint NOT NULL,
    published_at timestamptz,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    search tsvector NOT NULL GENERATED ALWAYS AS (
        setweight(to_tsvector('english', title), 'A')
        || setweight(to_tsvector('english', category_slug), 'B')
        || setweight(to_tsvector('english', description), 'C')
    ) STORED,
    CONSTRAINT products_price_range CHECK (max_price_minor >= min_price_minor),
    CONSTRAINT products_published_has_time CHECK (state <> 'published' OR published_at IS NOT NULL)
);
CREATE INDEX products_designer_idx ON products (designer_id);
CREATE INDEX products_newest_idx ON products (published_at DESC, id DESC) WHERE state = 'published';
CREATE INDEX products_cheapest_idx ON products (min_price_minor, id) WHERE state = 'published';
CREATE INDEX products_category_newest_idx ON products (category_slug, published_at DESC, id DESC) WHERE state = 'published';
CREATE INDEX products_category_cheapest_idx ON products (category_slug, min_price_minor, id) WHERE state = 'published';
CREATE INDEX products_search_idx ON products USING gin (search) WHERE state = 'published';

CREATE TABLE variants (
    id uuid CONSTRAINT variants_pkey PRIMARY KEY,
    product_id uuid NOT NULL CONSTRAINT variants_product_fkey REFERENCES products ON DELETE RESTRICT,
    position integer NOT NULL,
    sku text NOT NULL CONSTRAINT variants_sku_unique UNIQUE,
    -- Option name to value, one for each of the product's option_names.
    options jsonb NOT NULL CONSTRAINT variants_options_object CHECK (jsonb_typeof(options) = 'object'),
    price_minor bigint NOT NULL CONSTRAINT variants_price_positive CHECK (price_minor > 0),
    currency text NOT NULL CONSTRAINT variants_currency_inr CHECK (currency = 'INR'),
    hsn_code text NOT NULL CONSTRAINT variants_hsn_shape CHECK (hsn_code ~ '^([0-9]{4}|[0-9]{6}|[0-9]{8})$'),
    active boolean NOT NULL DEFAULT true,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    CONSTRAINT variants_position_unique UNIQUE (product_id, position),
    CONSTRAINT variants_options_unique UNIQUE (product_id, options)
);
CREATE INDEX variants_options_idx ON variants USING gin (options jsonb_path_ops);
"""


def upgrade() -> None:
    """Create the catalogue."""
    run_script(SCRIPT)


def downgrade() -> None:
    """Refuse: nothing stands below the first schema."""
    first_schema_has_no_downgrade()
