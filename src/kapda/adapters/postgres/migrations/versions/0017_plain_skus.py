"""SKUs are printable ASCII without spaces: none can look like another and be a different one.

Revision ID: 0017
Revises: 0016
"""

from kapda.adapters.postgres.migrations.script import run_script

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

# The catalogue is small and written seldom: looking through it takes milliseconds.
SCRIPT = "ALTER TABLE variants ADD CONSTRAINT variants_sku_plain CHECK (sku ~ '^[!-~]{1,64}$')"


def upgrade() -> None:
    """Keep others out."""
    run_script(SCRIPT)


def downgrade() -> None:
    """Nothing is lost."""
    run_script("ALTER TABLE variants DROP CONSTRAINT variants_sku_plain")
