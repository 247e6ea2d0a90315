"""Some requests are kept for good: the index by which the others are pruned leaves them out.

Revision ID: 0020
Revises: 0019
"""

from alembic import op

from kapda.adapters.postgres.migrations.script import run_script

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

# The same words as in retention.py, or the planner does not see that the index serves it.
SCRIPT = """
CREATE INDEX request_log_prunable_idx ON request_log (created_at)
    WHERE method NOT IN ('RefundOrder', 'ReceiveStock', 'BatchReceiveStock', 'AdjustStock');
DROP INDEX request_log_created_idx;
"""


def upgrade() -> None:
    """Replace the index."""
    run_script(SCRIPT)


def downgrade() -> None:
    """The version before prunes all of them."""
    op.execute("CREATE INDEX request_log_created_idx ON request_log (created_at)")
    op.execute("DROP INDEX request_log_prunable_idx")
