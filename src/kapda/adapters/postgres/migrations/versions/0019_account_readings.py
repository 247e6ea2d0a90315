"""How far the account's payments have been read at the gateway.

Revision ID: 0019
Revises: 0018
"""

from alembic import op

from kapda.adapters.postgres.migrations.script import run_script

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

SCRIPT = """
CREATE TABLE account_readings (
    list text CONSTRAINT account_readings_pkey PRIMARY KEY,
    read_through timestamptz NOT NULL
);
"""


def upgrade() -> None:
    """Create the table."""
    run_script(SCRIPT)


def downgrade() -> None:
    """Drop it: the version before looks back for half an hour."""
    op.execute("DROP TABLE account_readings")
