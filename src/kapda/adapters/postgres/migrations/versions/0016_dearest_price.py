"""No price above ten crore rupees: fifty lines of a thousand pieces each then stay inside the range of money.

Revision ID: 0016
Revises: 0015
"""

from kapda.adapters.postgres.migrations.script import run_script

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

# The catalogue is small and written seldom: looking through it takes milliseconds.
SCRIPT = """
ALTER TABLE variants ADD CONSTRAINT variants_price_within_cap CHECK (price_minor <= 10000000000);
ALTER TABLE products ADD CONSTRAINT products_price_within_cap CHECK (max_price_minor <= 10000000000);
"""


def upgrade() -> None:
    """Cap what the catalogue may ask for."""
    run_script(SCRIPT)


def downgrade() -> None:
    """Nothing is lost."""
    run_script("""
    ALTER TABLE products DROP CONSTRAINT products_price_within_cap;
    ALTER TABLE variants DROP CONSTRAINT variants_price_within_cap;
    """)
