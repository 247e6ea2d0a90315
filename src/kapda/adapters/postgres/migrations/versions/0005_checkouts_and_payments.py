"""Checkouts, payments, the gateway's events, and money that awaits a decision.

Revision ID: 0005
Revises: 0004
"""

from kapda.adapters.postgres.migrations.script import first_schema_has_no_downgrade, run_script

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

SCRIPT = """
CREATE TABLE checkouts (
    id uuid CONSTRAINT checkouts_pkey PRIMARY KEY,
    -- Not a foreign key: a checkout outlives an expired cart, and its money must too.
    cart_id uuid NOT NULL,
    customer_id uuid NOT NULL CONSTRAINT checkouts_customer_fkey REFERENCES users ON DELETE RESTRICT,
    state text NOT NULL CONSTRAINT checkouts_state_known CHECK (state IN (
        'opening', 'open', 'capturing', 'placed', 'superseded', 'abandoned', 'expired', 'failed')),
    -- Digest of lines, prices, address and charge: an unchanged cart finds its open checkout again.
    content_digest bytea NOT NULL,
    items_total_minor bigint NOT NULL CONSTRAINT checkouts_items_total_positive CHECK (items_total_minor > 0),
    shipping_minor bigint NOT NULL CONSTRAINT checkouts_shipping_not_negative CHECK (shipping_minor >= 0),
    total_minor bigint NOT NULL,
    currency text NOT NULL CONSTRAINT checkouts_currency_inr CHECK (currency = 'INR'),
    address jsonb NOT NULL,
    -- Digest of the place the goods go to, by which live checkouts of many customers for one door are counted.
    door bytea NOT NULL,
    gateway_order_id text CONSTRAINT checkouts_gateway_order_unique UNIQUE,
    -- Until when one process may be talking to the gateway about this checkout; another waits or takes over after it.
    gateway_lease_until timestamptz,
    created_at timestamptz NOT NULL,
    pay_before timestamptz NOT NULL,
    hold_until timestamptz NOT NULL,
    ended_at timestamptz,
    -- When the poller should next ask the gateway about it; null once nothing more can come.
    next_check_at timestamptz,
    check_attempts integer NOT NULL DEFAULT 0,
    CONSTRAINT checkouts_total_is_sum CHECK (total_minor = items_total_minor + shipping_minor),
    CONSTRAINT checkouts_hold_outlives_pay_window CHECK (hold_until > pay_before AND pay_before > created_at),
    CONSTRAINT checkouts_open_has_gateway_order
        CHECK (state NOT IN ('open', 'capturing', 'placed') OR gateway_order_id IS NOT NULL),
    CONSTRAINT checkouts_ended CHECK ((state IN ('opening', 'open', 'capturing')) = (ended_at IS NULL))
);
CREATE UNIQUE INDEX checkouts_one_open_a_cart ON checkouts (cart_id) WHERE state IN ('opening', 'open', 'capturing');
CREATE INDEX checkouts_customer_idx ON checkouts (customer_id, id DESC);
CREATE INDEX checkouts_door_idx ON checkouts (door) WHERE state IN ('opening', 'open', 'capturing');
CREATE INDEX checkouts_unpaid_idx ON checkouts (customer_id, created_at)
    WHERE state IN ('superseded', 'abandoned', 'expired');
CREATE INDEX checkouts_due_idx ON checkouts (next_check_at) WHERE next_check_at IS NOT NULL;

CREATE TABLE checkout_lines (
    checkout_id uuid NOT NULL CONSTRAINT checkout_lines_checkout_fkey REFERENCES checkouts ON DELETE CASCADE,
    position integer NOT NULL,
    variant_id uuid NOT NULL CONSTRAINT checkout_lines_variant_fkey REFERENCES variants ON DELETE RESTRICT,
    product_id uuid NOT NULL CONSTRAINT checkout_lines_product_fkey REFERENCES products ON DELETE RESTRICT,
    designer_id uuid NOT NULL CONSTRAINT checkout_lines_designer_fkey REFERENCES designers ON DELETE RESTRICT,
    sku text NOT NULL,
    title text NOT NULL,
    options jsonb NOT NULL,
    quantity integer NOT NULL CONSTRAINT checkout_lines_quantity_positive CHECK (quantity > 0),
    unit_price_minor bigint NOT NULL CONSTRAINT checkout_lines_price_positive CHECK (unit_price_minor > 0),
    hsn_code text NOT NULL,
    gst_basis_points integer NOT NULL CONSTRAINT checkout_lines_gst_range CHECK (gst_basis_points BETWEEN 0 AND 10000),
    designer_gstin text NOT NULL,
    commission_basis_points integer NOT NULL
        CONSTRAINT checkout_lines_commission_range CHECK (commission_basis_points BETWEEN 0 AND 10000),
    CONSTRAINT checkout_lines_pkey PRIMARY KEY (checkout_id, position),
    CONSTRAINT checkout_lines_variant_unique UNIQUE (checkout_id, variant_id)
);

-- One row for each payment at the gateway that concerns one of our checkouts.
CREATE TABLE payments (
    id uuid CONSTRAINT payments_pkey PRIMARY KEY,
    checkout_id uuid NOT NULL CONSTRAINT payments_checkout_fkey REFERENCES checkouts ON DELETE RESTRICT,
    gateway_payment_id text NOT NULL CONSTRAINT payments_gateway_payment_unique UNIQUE,
    gateway_order_id text NOT NULL,
    state text NOT NULL CONSTRAINT payments_state_known CHECK (state IN ('captured', 'refunded')),
    amount_minor bigint NOT NULL CONSTRAINT payments_amount_positive CHECK (amount_minor > 0),
    currency text NOT NULL CONSTRAINT payments_currency_shape CHECK (currency ~ '^[A-Z]{3}$'),
    method text NOT NULL,
    refund_reserved_minor bigint NOT NULL DEFAULT 0 CONSTRAINT payments_refunds_within_captured
        CHECK (refund_reserved_minor BETWEEN 0 AND amount_minor),
    -- What of the reserved refunds has gone.
    refunded_minor bigint NOT NULL DEFAULT 0 CONSTRAINT payments_refunded_was_reserved
        CHECK (refunded_minor BETWEEN 0 AND refund_reserved_minor),
    captured_at timestamptz NOT NULL
);
CREATE INDEX payments_checkout_idx ON payments (checkout_id);

-- Money that is ours to decide about: open until somebody or something ends it.
CREATE TABLE payment_cases (
    id uuid CONSTRAINT payment_cases_pkey PRIMARY KEY,
    kind text NOT NULL,
    gateway_payment_id text NOT NULL,
    -- The refund the case is about; null where it is about the payment's own money.
    refund_id uuid,
    payment_id uuid NOT NULL CONSTRAINT payment_cases_payment_fkey REFERENCES payments ON DELETE RESTRICT,
    checkout_id uuid NOT NULL CONSTRAINT payment_cases_checkout_fkey REFERENCES checkouts ON DELETE RESTRICT,
    amount_minor bigint NOT NULL,
    currency text NOT NULL,
    evidence jsonb NOT NULL,
    state text NOT NULL CONSTRAINT payment_cases_state_known CHECK (state IN ('open', 'resolved')),
    opened_at timestamptz NOT NULL,
    resolved_at timestamptz,
    resolution text CONSTRAINT payment_cases_resolution_known
        CHECK (resolution IN ('place', 'refund', 'attach', 'write_off')),
    resolved_by text,
    resolution_reason text,
    CONSTRAINT payment_cases_subject_unique UNIQUE NULLS NOT DISTINCT (gateway_payment_id, refund_id),
    CONSTRAINT payment_cases_resolved CHECK (
        (state = 'resolved') = (resolved_at IS NOT NULL)
        AND (resolved_at IS NULL) = (num_nulls(resolution, resolved_by, resolution_reason) = 3)
        AND num_nulls(resolution, resolved_by, resolution_reason) IN (0, 3))
);
CREATE INDEX payment_cases_open_idx ON payment_cases (opened_at, id) WHERE state = 'open';
CREATE INDEX payment_cases_checkout_idx ON payment_cases (checkout_id);

-- Payments on the account that are not for one of our checkouts: noted once, never acted on.
CREATE TABLE foreign_payments (
    gateway_payment_id text CONSTRAINT foreign_payments_pkey PRIMARY KEY,
    gateway_order_id text,
    amount_minor bigint NOT NULL,
    currency text NOT NULL,
    seen_at timestamptz NOT NULL
);

-- Webhook deliveries, stored before they are answered.
CREATE TABLE gateway_events (
    id uuid CONSTRAINT gateway_events_pkey PRIMARY KEY,
    event_id text NOT NULL CONSTRAINT gateway_events_event_unique UNIQUE,
    -- Event name, entity and its state: the same fact under another (unsigned) event id is the same event.
    entity_key text NOT NULL CONSTRAINT gateway_events_entity_unique UNIQUE,
    event_type text NOT NULL,
    gateway_payment_id text,
    gateway_order_id text,
    gateway_refund_id text,
    body bytea NOT NULL,
    received_at timestamptz NOT NULL,
    state text NOT NULL CONSTRAINT gateway_events_state_known CHECK (state IN ('pending', 'processed', 'ignored')),
    outcome text,
    attempts integer NOT NULL DEFAULT 0,
    next_attempt_at timestamptz,
    processed_at timestamptz,
    CONSTRAINT gateway_events_pending_is_due CHECK ((state = 'pending') = (next_attempt_at IS NOT NULL))
);
CREATE INDEX gateway_events_received_idx ON gateway_events (received_at) WHERE state <> 'pending';
CREATE INDEX gateway_events_due_idx ON gateway_events (next_attempt_at) WHERE state = 'pending';
"""


def upgrade() -> None:
    """Create checkouts and payments."""
    run_script(SCRIPT)


def downgrade() -> None:
    """Refuse: nothing stands below the first schema."""
    first_schema_has_no_downgrade()
