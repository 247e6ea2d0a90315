"""Mails that tell of payments that nobody took.

Revision ID: 0022
Revises: 0021
"""

from kapda.adapters.postgres.migrations.script import run_script

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None

SCRIPT = """
-- NOT VALID and validated after: rows are read without keeping anybody from writing.
ALTER TABLE mails DROP CONSTRAINT mails_kind_known, ADD CONSTRAINT mails_kind_known
    CHECK (kind IN ('reset_password', 'confirm_email', 'unlock', 'password_changed', 'order_placed', 'order_cancelled',
        'refund_requested', 'refund_processed', 'payment_given_back')) NOT VALID;
ALTER TABLE mails VALIDATE CONSTRAINT mails_kind_known;
"""


def upgrade() -> None:
    """Allow one kind more."""
    run_script(SCRIPT)


def downgrade() -> None:
    """Refuse: mails of that kind would be lost."""
    raise RuntimeError("queued mails have no downgrade; restore a backup instead")
