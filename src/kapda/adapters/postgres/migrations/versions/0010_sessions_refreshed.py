"""The status of users; sessions that are refreshed, and their refresh tokens.

Revision ID: 0010
Revises: 0009
"""

from kapda.adapters.postgres.migrations.script import run_script

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

SCRIPT = """
ALTER TABLE users ADD COLUMN status text NOT NULL DEFAULT 'active'
    CONSTRAINT users_status_known CHECK (status IN ('active', 'disabled', 'deleted'));

-- From where a session began and was last refreshed. Agents are cut by the domain's Contact.
ALTER TABLE sessions
    ADD COLUMN begun_network text,
    ADD COLUMN begun_agent text CONSTRAINT sessions_begun_agent_length CHECK (char_length(begun_agent) <= 200),
    ADD COLUMN refreshed_at timestamptz,
    ADD COLUMN refreshed_network text,
    ADD COLUMN refreshed_agent text CONSTRAINT sessions_refreshed_agent_length CHECK (char_length(refreshed_agent) <= 200);
-- A user's list, newest first: ids grow with time.
CREATE INDEX sessions_user_id_idx ON sessions (user_id, id);
DROP INDEX sessions_user_idx;

CREATE TABLE refresh_tokens (
    digest bytea CONSTRAINT refresh_tokens_pkey PRIMARY KEY,
    session_id uuid NOT NULL CONSTRAINT refresh_tokens_session_fkey REFERENCES sessions ON DELETE CASCADE,
    issued_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    used_at timestamptz,
    successors smallint NOT NULL DEFAULT 0,
    CONSTRAINT refresh_tokens_digest_is_sha256 CHECK (octet_length(digest) = 32),
    CONSTRAINT refresh_tokens_expire_after_issue CHECK (expires_at > issued_at),
    CONSTRAINT refresh_tokens_successors_of_the_used CHECK ((used_at IS NULL) = (successors = 0) AND successors >= 0)
);
CREATE INDEX refresh_tokens_session_idx ON refresh_tokens (session_id);
CREATE INDEX refresh_tokens_expires_idx ON refresh_tokens (expires_at);
"""


def upgrade() -> None:
    """Create them."""
    run_script(SCRIPT)


def downgrade() -> None:
    """Refuse: whoever was disabled would be active again."""
    raise RuntimeError("the status of users has no downgrade; restore a backup instead")
