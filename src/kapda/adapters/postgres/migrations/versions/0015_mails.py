"""Mails, the links in them, and whether an address was confirmed.

Revision ID: 0015
Revises: 0014
"""

from kapda.adapters.postgres.migrations.script import run_script

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

SCRIPT = """
ALTER TABLE users ADD COLUMN email_confirmed_at timestamptz;

CREATE TABLE mailed_links (
    id uuid CONSTRAINT mailed_links_pkey PRIMARY KEY,
    user_id uuid NOT NULL CONSTRAINT mailed_links_user_fkey REFERENCES users ON DELETE CASCADE,
    purpose text NOT NULL
        CONSTRAINT mailed_links_purpose_known CHECK (purpose IN ('reset_password', 'confirm_email', 'unlock')),
    -- The address it was mailed to; it proves nothing about another.
    email_key text NOT NULL,
    -- Of the token, which is derived from the id by a key that is not here.
    digest bytea NOT NULL CONSTRAINT mailed_links_digest_is_sha256 CHECK (octet_length(digest) = 32),
    created_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    -- Used, or ended by a newer one or by what made it pointless.
    closed_at timestamptz,
    CONSTRAINT mailed_links_expire_after_creation CHECK (expires_at > created_at)
);
CREATE UNIQUE INDEX mailed_links_one_live_a_purpose ON mailed_links (user_id, purpose) WHERE closed_at IS NULL;
CREATE INDEX mailed_links_user_idx ON mailed_links (user_id, purpose, created_at);
CREATE INDEX mailed_links_expires_idx ON mailed_links (expires_at);

CREATE TABLE mails (
    id uuid CONSTRAINT mails_pkey PRIMARY KEY,
    kind text NOT NULL CONSTRAINT mails_kind_known CHECK (kind IN ('reset_password', 'confirm_email', 'unlock',
        'password_changed', 'order_placed', 'order_cancelled', 'refund_requested', 'refund_processed')),
    state text NOT NULL DEFAULT 'queued'
        CONSTRAINT mails_state_known CHECK (state IN ('queued', 'sent', 'refused', 'dropped')),
    user_id uuid CONSTRAINT mails_user_fkey REFERENCES users ON DELETE CASCADE,
    -- Typed by somebody and not looked up yet; gone once it was.
    address text,
    subject_id uuid,
    link_id uuid CONSTRAINT mails_link_fkey REFERENCES mailed_links ON DELETE SET NULL,
    attempts integer NOT NULL DEFAULT 0,
    queued_at timestamptz NOT NULL,
    -- Also the lease of the worker that sends it now: nobody else takes it before.
    next_attempt_at timestamptz,
    finished_at timestamptz,
    -- Why it was dropped, or the reply code that refused it.
    outcome text,
    CONSTRAINT mails_queued_have_a_recipient CHECK (state <> 'queued' OR num_nonnulls(user_id, address) = 1),
    CONSTRAINT mails_finished_hold_no_address CHECK (state = 'queued' OR address IS NULL),
    CONSTRAINT mails_due_while_queued
        CHECK ((state = 'queued') = (next_attempt_at IS NOT NULL) AND (state = 'queued') = (finished_at IS NULL))
);
CREATE UNIQUE INDEX mails_one_a_subject ON mails (kind, subject_id) WHERE subject_id IS NOT NULL;
CREATE UNIQUE INDEX mails_one_an_address ON mails (kind, lower(address)) WHERE address IS NOT NULL;
CREATE INDEX mails_due_idx ON mails (next_attempt_at) WHERE next_attempt_at IS NOT NULL;
CREATE INDEX mails_finished_idx ON mails (finished_at) WHERE finished_at IS NOT NULL;
CREATE INDEX mails_user_idx ON mails (user_id);
CREATE INDEX mails_link_idx ON mails (link_id);
"""


def upgrade() -> None:
    """Create them."""
    run_script(SCRIPT)


def downgrade() -> None:
    """Refuse: mails that were promised would never leave."""
    raise RuntimeError("queued mails have no downgrade; restore a backup instead")
