"""The request log and the outbox.

Revision ID: 0007
Revises: 0006
"""

from kapda.adapters.postgres.migrations.script import first_schema_has_no_downgrade, run_script

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

SCRIPT = """
CREATE TABLE request_log (
    scope uuid NOT NULL,
    method text NOT NULL,
    request_id uuid NOT NULL,
    fingerprint bytea NOT NULL,
    resource_id uuid,
    answer bytea,
    created_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT request_log_pkey PRIMARY KEY (scope, method, request_id)
);
CREATE INDEX request_log_created_idx ON request_log (created_at);

CREATE TABLE outbox_heads (
    aggregate_id uuid CONSTRAINT outbox_heads_pkey PRIMARY KEY,
    last_sequence integer NOT NULL,
    -- Until when one worker may be relaying this aggregate's events; another starts no earlier.
    relay_lease_until timestamptz
);

CREATE TABLE outbox_events (
    aggregate_id uuid NOT NULL CONSTRAINT outbox_events_head_fkey REFERENCES outbox_heads ON DELETE RESTRICT,
    sequence integer NOT NULL CONSTRAINT outbox_events_sequence_positive CHECK (sequence > 0),
    aggregate_type text NOT NULL,
    type text NOT NULL,
    payload jsonb NOT NULL,
    occurred_at timestamptz NOT NULL,
    published_at timestamptz,
    CONSTRAINT outbox_events_pkey PRIMARY KEY (aggregate_id, sequence)
);
CREATE INDEX outbox_events_unpublished_idx ON outbox_events (occurred_at) WHERE published_at IS NULL;
"""


def upgrade() -> None:
    """Create the request log and the outbox."""
    run_script(SCRIPT)


def downgrade() -> None:
    """Refuse: nothing stands below the first schema."""
    first_schema_has_no_downgrade()
