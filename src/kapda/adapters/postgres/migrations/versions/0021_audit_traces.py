"""Where somebody was moves out of the audit log, which keeps everything, to where it can go.

Revision ID: 0021
Revises: 0020
"""

from alembic import op

from kapda.adapters.postgres.migrations.script import run_script

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None

SCRIPT = """
CREATE TABLE audit_traces (
    entry_id uuid CONSTRAINT audit_traces_pkey PRIMARY KEY
        CONSTRAINT audit_traces_entry_fkey REFERENCES audit_entries,
    user_id uuid NOT NULL CONSTRAINT audit_traces_user_fkey REFERENCES users,
    at timestamptz NOT NULL,
    traces jsonb NOT NULL CONSTRAINT audit_traces_object CHECK (jsonb_typeof(traces) = 'object')
);
CREATE INDEX audit_traces_user_idx ON audit_traces (user_id);
CREATE INDEX audit_traces_at_idx ON audit_traces (at);

INSERT INTO audit_traces (entry_id, user_id, at, traces)
    SELECT e.id, u.id, e.at, jsonb_build_object(
        'client_network', e.details -> 'client_network', 'user_agent', e.details -> 'user_agent')
    FROM audit_entries e JOIN users u ON u.id = e.subject_id AND u.status <> 'deleted'
    WHERE e.action = 'REFRESH_TOKEN_REUSED' AND e.details ? 'client_network';
-- The one change that the log ever sees: it says no less of what was done.
ALTER TABLE audit_entries DISABLE TRIGGER audit_entries_append_only;
UPDATE audit_entries SET details = details - 'client_network' - 'user_agent' WHERE action = 'REFRESH_TOKEN_REUSED';
ALTER TABLE audit_entries ENABLE TRIGGER audit_entries_append_only;
"""


def upgrade() -> None:
    """Create the table and move what there is."""
    run_script(SCRIPT)


def downgrade() -> None:
    """The version before finds an entry's own details, without where its user was."""
    op.execute("DROP TABLE audit_traces")
