"""Stock, its holds and its movement ledger.

Revision ID: 0003
Revises: 0002
"""

from kapda.adapters.postgres.migrations.script import first_schema_has_no_downgrade, run_script

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

SCRIPT = """
CREATE TABLE stock (
    variant_id uuid CONSTRAINT stock_pkey PRIMARY KEY
        CONSTRAINT stock_variant_fkey REFERENCES variants ON DELETE RESTRICT,
    on_hand integer NOT NULL CONSTRAINT stock_on_hand_not_negative CHECK (on_hand >= 0),
    held integer NOT NULL DEFAULT 0 CONSTRAINT stock_held_not_negative CHECK (held >= 0),
    available integer NOT NULL GENERATED ALWAYS AS (on_hand - held) STORED,
    -- With so many pieces available, or fewer, the variant is low, and its house is told once.
    low_stock_threshold integer NOT NULL DEFAULT 5
        CONSTRAINT stock_low_threshold_range CHECK (low_stock_threshold BETWEEN 0 AND 1000000),
    version bigint NOT NULL DEFAULT 1,
    updated_at timestamptz NOT NULL,
    CONSTRAINT stock_held_within_on_hand CHECK (held <= on_hand)
) WITH (fillfactor = 70);  -- room for HOT updates: a hot variant's row is rewritten many times a second

-- What a checkout keeps for itself until it is placed, given up or expired; hold_id is the checkout's id.
CREATE TABLE stock_holds (
    hold_id uuid NOT NULL,
    variant_id uuid NOT NULL CONSTRAINT stock_holds_stock_fkey REFERENCES stock ON DELETE RESTRICT,
    quantity integer NOT NULL CONSTRAINT stock_holds_quantity_positive CHECK (quantity > 0),
    state text NOT NULL CONSTRAINT stock_holds_state_known CHECK (state IN ('held', 'sold', 'released')),
    -- When the pieces were held, for the last time where a released hold was taken again.
    held_since timestamptz NOT NULL,
    ended_at timestamptz,
    CONSTRAINT stock_holds_pkey PRIMARY KEY (hold_id, variant_id),
    CONSTRAINT stock_holds_ended CHECK ((state = 'held') = (ended_at IS NULL))
);
CREATE INDEX stock_holds_variant_idx ON stock_holds (variant_id) WHERE state = 'held';

CREATE TABLE stock_movements (
    id bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT stock_movements_pkey PRIMARY KEY,
    variant_id uuid NOT NULL CONSTRAINT stock_movements_stock_fkey REFERENCES stock ON DELETE RESTRICT,
    kind text NOT NULL,
    on_hand_delta integer NOT NULL,
    held_delta integer NOT NULL,
    reason text NOT NULL,
    -- Who did it: a user's id, or the name of the part of the system that did.
    actor text NOT NULL,
    hold_id uuid,
    created_at timestamptz NOT NULL,
    -- One table of signs for all writers; the domain's MovementKind says the same in words.
    CONSTRAINT stock_movements_signs CHECK (
        (kind = 'receive' AND on_hand_delta > 0 AND held_delta = 0)
        OR (kind = 'hold' AND on_hand_delta = 0 AND held_delta > 0 AND hold_id IS NOT NULL)
        OR (kind = 'release' AND on_hand_delta = 0 AND held_delta < 0 AND hold_id IS NOT NULL)
        OR (kind = 'sell' AND on_hand_delta < 0 AND held_delta = on_hand_delta AND hold_id IS NOT NULL)
        OR (kind = 'return' AND on_hand_delta > 0 AND held_delta = 0)
        OR (kind = 'adjust' AND on_hand_delta <> 0 AND held_delta = 0)
    )
);
CREATE INDEX stock_movements_variant_idx ON stock_movements (variant_id, id);
"""


def upgrade() -> None:
    """Create the inventory."""
    run_script(SCRIPT)


def downgrade() -> None:
    """Refuse: nothing stands below the first schema."""
    first_schema_has_no_downgrade()
