"""Orders, their lines and history, and the double-entry books.

Revision ID: 0006
Revises: 0005
"""

from kapda.adapters.postgres.migrations.script import first_schema_has_no_downgrade, run_script

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

SCRIPT = """
CREATE SEQUENCE order_numbers AS bigint START 100001;

CREATE TABLE orders (
    id uuid CONSTRAINT orders_pkey PRIMARY KEY,
    number text NOT NULL CONSTRAINT orders_number_unique UNIQUE,
    checkout_id uuid NOT NULL CONSTRAINT orders_checkout_unique UNIQUE
        CONSTRAINT orders_checkout_fkey REFERENCES checkouts ON DELETE RESTRICT,
    payment_id uuid NOT NULL CONSTRAINT orders_payment_unique UNIQUE
        CONSTRAINT orders_payment_fkey REFERENCES payments ON DELETE RESTRICT,
    customer_id uuid NOT NULL CONSTRAINT orders_customer_fkey REFERENCES users ON DELETE RESTRICT,
    state text NOT NULL CONSTRAINT orders_state_known CHECK (state IN ('placed', 'cancelled')),
    items_total_minor bigint NOT NULL CONSTRAINT orders_items_total_positive CHECK (items_total_minor > 0),
    shipping_minor bigint NOT NULL CONSTRAINT orders_shipping_not_negative CHECK (shipping_minor >= 0),
    total_minor bigint NOT NULL,
    currency text NOT NULL,
    address jsonb NOT NULL,
    delivery_state text NOT NULL,
    version bigint NOT NULL DEFAULT 1,
    placed_at timestamptz NOT NULL,
    CONSTRAINT orders_total_is_sum CHECK (total_minor = items_total_minor + shipping_minor)
);
CREATE INDEX orders_customer_idx ON orders (customer_id, id DESC);

CREATE TABLE order_lines (
    order_id uuid NOT NULL CONSTRAINT order_lines_order_fkey REFERENCES orders ON DELETE RESTRICT,
    position integer NOT NULL,
    variant_id uuid NOT NULL CONSTRAINT order_lines_variant_fkey REFERENCES variants ON DELETE RESTRICT,
    product_id uuid NOT NULL CONSTRAINT order_lines_product_fkey REFERENCES products ON DELETE RESTRICT,
    designer_id uuid NOT NULL CONSTRAINT order_lines_designer_fkey REFERENCES designers ON DELETE RESTRICT,
    sku text NOT NULL,
    title text NOT NULL,
    options jsonb NOT NULL,
    quantity integer NOT NULL CONSTRAINT order_lines_quantity_positive CHECK (quantity > 0),
    unit_price_minor bigint NOT NULL CONSTRAINT order_lines_price_positive CHECK (unit_price_minor > 0),
    line_total_minor bigint NOT NULL,
    hsn_code text NOT NULL,
    gst_basis_points integer NOT NULL,
    taxable_minor bigint NOT NULL,
    gst_minor bigint NOT NULL,
    designer_gstin text NOT NULL,
    commission_basis_points integer NOT NULL,
    commission_minor bigint NOT NULL CONSTRAINT order_lines_commission_not_negative CHECK (commission_minor >= 0),
    commission_gst_minor bigint NOT NULL CONSTRAINT order_lines_commission_gst_not_negative CHECK (commission_gst_minor >= 0),
    designer_net_minor bigint NOT NULL CONSTRAINT order_lines_net_not_negative CHECK (designer_net_minor >= 0),
    CONSTRAINT order_lines_pkey PRIMARY KEY (order_id, position),
    CONSTRAINT order_lines_variant_unique UNIQUE (order_id, variant_id),
    CONSTRAINT order_lines_total CHECK (line_total_minor = unit_price_minor * quantity),
    CONSTRAINT order_lines_tax_splits_total CHECK (taxable_minor + gst_minor = line_total_minor),
    CONSTRAINT order_lines_earnings_split_total
        CHECK (designer_net_minor + commission_minor + commission_gst_minor = line_total_minor)
);
CREATE INDEX order_lines_designer_idx ON order_lines (designer_id, order_id);

CREATE TABLE order_history (
    order_id uuid NOT NULL CONSTRAINT order_history_order_fkey REFERENCES orders ON DELETE RESTRICT,
    sequence integer NOT NULL,
    state text NOT NULL,
    reason text NOT NULL,
    actor text NOT NULL,
    created_at timestamptz NOT NULL,
    CONSTRAINT order_history_pkey PRIMARY KEY (order_id, sequence)
);

-- Money on its way back, reserved on its payment before the gateway is asked; its id is our reference there.
CREATE TABLE refunds (
    id uuid CONSTRAINT refunds_pkey PRIMARY KEY,
    kind text NOT NULL CONSTRAINT refunds_kind_known
        CHECK (kind IN ('order_cancelled', 'order_lines', 'case', 'dashboard')),
    payment_id uuid NOT NULL CONSTRAINT refunds_payment_fkey REFERENCES payments ON DELETE RESTRICT,
    order_id uuid CONSTRAINT refunds_order_fkey REFERENCES orders ON DELETE RESTRICT,
    case_id uuid CONSTRAINT refunds_case_fkey REFERENCES payment_cases ON DELETE RESTRICT,
    amount_minor bigint NOT NULL CONSTRAINT refunds_amount_positive CHECK (amount_minor > 0),
    currency text NOT NULL,
    state text NOT NULL CONSTRAINT refunds_state_known CHECK (state IN ('requested', 'pending', 'processed', 'failed')),
    gateway_refund_id text CONSTRAINT refunds_gateway_refund_unique UNIQUE,
    reason text NOT NULL,
    actor text NOT NULL,
    requested_at timestamptz NOT NULL,
    attempts integer NOT NULL DEFAULT 0,
    next_look_at timestamptz,
    CONSTRAINT refunds_under_way_is_due CHECK ((state IN ('requested', 'pending')) = (next_look_at IS NOT NULL)),
    CONSTRAINT refunds_sent_is_known CHECK (state IN ('requested', 'failed') OR gateway_refund_id IS NOT NULL)
);
CREATE INDEX refunds_payment_idx ON refunds (payment_id, id);
CREATE INDEX refunds_order_idx ON refunds (order_id) WHERE order_id IS NOT NULL;
CREATE INDEX refunds_due_idx ON refunds (next_look_at) WHERE next_look_at IS NOT NULL;

-- What a refund takes out of an order: the shipping charge, and of each line so many pieces with each party's part.
CREATE TABLE order_reversals (
    refund_id uuid CONSTRAINT order_reversals_pkey PRIMARY KEY
        CONSTRAINT order_reversals_refund_fkey REFERENCES refunds ON DELETE RESTRICT,
    order_id uuid NOT NULL CONSTRAINT order_reversals_order_fkey REFERENCES orders ON DELETE RESTRICT,
    shipping_minor bigint NOT NULL CONSTRAINT order_reversals_shipping_not_negative CHECK (shipping_minor >= 0)
);
CREATE INDEX order_reversals_order_idx ON order_reversals (order_id);
CREATE TABLE order_reversal_lines (
    refund_id uuid NOT NULL CONSTRAINT order_reversal_lines_reversal_fkey REFERENCES order_reversals ON DELETE RESTRICT,
    order_id uuid NOT NULL,
    position integer NOT NULL,
    quantity integer NOT NULL CONSTRAINT order_reversal_lines_quantity_positive CHECK (quantity > 0),
    amount_minor bigint NOT NULL,
    designer_net_minor bigint NOT NULL,
    commission_minor bigint NOT NULL,
    commission_gst_minor bigint NOT NULL,
    CONSTRAINT order_reversal_lines_pkey PRIMARY KEY (refund_id, position),
    CONSTRAINT order_reversal_lines_line_fkey FOREIGN KEY (order_id, position)
        REFERENCES order_lines (order_id, position) ON DELETE RESTRICT,
    CONSTRAINT order_reversal_lines_split
        CHECK (designer_net_minor + commission_minor + commission_gst_minor = amount_minor)
);
CREATE INDEX order_reversal_lines_line_idx ON order_reversal_lines (order_id, position);

CREATE TABLE ledger_transactions (
    id uuid CONSTRAINT ledger_transactions_pkey PRIMARY KEY,
    kind text NOT NULL,
    -- What caused it; one cause of a kind is booked once.
    reference_id uuid NOT NULL,
    created_at timestamptz NOT NULL,
    CONSTRAINT ledger_transactions_reference_unique UNIQUE (kind, reference_id)
);

CREATE TABLE ledger_entries (
    transaction_id uuid NOT NULL
        CONSTRAINT ledger_entries_transaction_fkey REFERENCES ledger_transactions ON DELETE RESTRICT,
    position integer NOT NULL,
    account text NOT NULL CONSTRAINT ledger_entries_account_known CHECK (account IN (
        'gateway_receivable', 'unassigned_receipts', 'designer_payable', 'commission_revenue',
        'commission_gst_payable', 'shipping_revenue', 'refunds_payable', 'refund_adjustments', 'write_offs')),
    designer_id uuid CONSTRAINT ledger_entries_designer_fkey REFERENCES designers ON DELETE RESTRICT,
    -- Debits are positive, credits negative.
    amount_minor bigint NOT NULL CONSTRAINT ledger_entries_amount_not_zero CHECK (amount_minor <> 0),
    currency text NOT NULL,
    CONSTRAINT ledger_entries_pkey PRIMARY KEY (transaction_id, position),
    CONSTRAINT ledger_entries_designer_named CHECK ((account = 'designer_payable') = (designer_id IS NOT NULL))
);
CREATE INDEX ledger_entries_designer_idx ON ledger_entries (designer_id) WHERE designer_id IS NOT NULL;

-- The books balance or the transaction does not commit, whoever wrote the entries.
CREATE FUNCTION ledger_transaction_balances() RETURNS trigger LANGUAGE plpgsql AS $body$
BEGIN
    IF EXISTS (
        SELECT FROM ledger_entries WHERE transaction_id = NEW.transaction_id
        GROUP BY currency HAVING sum(amount_minor) <> 0
    ) THEN
        RAISE EXCEPTION 'ledger transaction % does not sum to zero', NEW.transaction_id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'ledger_transaction_balances';
    END IF;
    RETURN NULL;
END $body$;
CREATE CONSTRAINT TRIGGER ledger_transaction_balances AFTER INSERT OR UPDATE ON ledger_entries
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION ledger_transaction_balances();

CREATE FUNCTION ledger_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $body$
BEGIN
    RAISE EXCEPTION 'the ledger is append-only' USING ERRCODE = 'check_violation', CONSTRAINT = 'ledger_is_append_only';
END $body$;
CREATE TRIGGER ledger_entries_append_only BEFORE UPDATE OR DELETE ON ledger_entries
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_is_append_only();
CREATE TRIGGER ledger_transactions_append_only BEFORE UPDATE OR DELETE ON ledger_transactions
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_is_append_only();
"""


def upgrade() -> None:
    """Create orders and the ledger."""
    run_script(SCRIPT)


def downgrade() -> None:
    """Refuse: nothing stands below the first schema."""
    first_schema_has_no_downgrade()
