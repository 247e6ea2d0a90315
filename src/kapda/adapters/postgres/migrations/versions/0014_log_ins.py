"""Attempts at log-ins, and from where users got in.

Revision ID: 0014
Revises: 0013
"""

from alembic import op

from kapda.adapters.postgres.migrations.script import run_script

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

SCRIPT = """
CREATE TABLE log_in_attempts (
    id uuid CONSTRAINT log_in_attempts_pkey PRIMARY KEY,
    -- A keyed digest of the address that was typed, whether or not it has an account.
    identifier text NOT NULL,
    network text NOT NULL,
    at timestamptz NOT NULL,
    outcome text NOT NULL CONSTRAINT log_in_attempts_outcome_known
        CHECK (outcome IN ('under_way', 'failed', 'succeeded'))
);
-- Failures are few, because they are throttled; successes need not be.
CREATE INDEX log_in_attempts_counted_idx ON log_in_attempts (identifier, at) WHERE outcome <> 'succeeded';
CREATE INDEX log_in_attempts_succeeded_idx ON log_in_attempts (identifier, network, at) WHERE outcome = 'succeeded';
CREATE INDEX log_in_attempts_at_idx ON log_in_attempts (at);

CREATE TABLE known_networks (
    user_id uuid NOT NULL CONSTRAINT known_networks_user_fkey REFERENCES users ON DELETE CASCADE,
    network text NOT NULL,
    last_seen_at timestamptz NOT NULL,
    CONSTRAINT known_networks_pkey PRIMARY KEY (user_id, network)
);
CREATE INDEX known_networks_seen_idx ON known_networks (last_seen_at);
"""


def upgrade() -> None:
    """Create both tables."""
    run_script(SCRIPT)


def downgrade() -> None:
    """Drop both tables."""
    op.execute("DROP TABLE known_networks")
    op.execute("DROP TABLE log_in_attempts")
