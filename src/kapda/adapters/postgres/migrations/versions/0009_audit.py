"""The audit log.

Revision ID: 0009
Revises: 0008
"""

from kapda.adapters.postgres.migrations.script import first_schema_has_no_downgrade, run_script

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

SCRIPT = """
CREATE TABLE audit_entries (
    id uuid CONSTRAINT audit_entries_pkey PRIMARY KEY,
    at timestamptz NOT NULL,
    actor_kind text NOT NULL CONSTRAINT audit_entries_actor_known CHECK (actor_kind IN ('user', 'service', 'operator')),
    -- Not a foreign key, and neither is the subject: what was done outlives who did it.
    actor_id uuid,
    action text NOT NULL,
    subject_type text NOT NULL,
    subject_id uuid NOT NULL,
    reason text NOT NULL CONSTRAINT audit_entries_have_a_reason CHECK (reason ~ '\\S' AND length(reason) <= 200),
    request_id text NOT NULL,
    details jsonb NOT NULL CONSTRAINT audit_entries_details_object CHECK (jsonb_typeof(details) = 'object'),
    CONSTRAINT audit_entries_actor_named CHECK ((actor_kind = 'operator') = (actor_id IS NULL))
);
CREATE INDEX audit_entries_newest_idx ON audit_entries (at DESC, id DESC);
CREATE INDEX audit_entries_subject_idx ON audit_entries (subject_id, at DESC, id DESC);
CREATE INDEX audit_entries_actor_idx ON audit_entries (actor_id, at DESC, id DESC) WHERE actor_id IS NOT NULL;

CREATE FUNCTION audit_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $body$
BEGIN
    RAISE EXCEPTION 'the audit log is append-only'
        USING ERRCODE = 'check_violation', CONSTRAINT = 'audit_is_append_only';
END $body$;
CREATE TRIGGER audit_entries_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_entries
    FOR EACH STATEMENT EXECUTE FUNCTION audit_is_append_only();
"""


def upgrade() -> None:
    """Create the audit log."""
    run_script(SCRIPT)


def downgrade() -> None:
    """Refuse: nothing stands below the first schema."""
    first_schema_has_no_downgrade()
