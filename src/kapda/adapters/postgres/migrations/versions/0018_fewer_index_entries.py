"""A purchase writes fewer index entries: indexes that no statement reads go, and updates change no indexed column.

Revision ID: 0018
Revises: 0017
"""

from kapda.adapters.postgres.migrations.script import run_script

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

SCRIPT = """
-- No statement looks a line up by its variant or its house alone.
DROP INDEX cart_lines_variant_idx;
DROP INDEX order_lines_designer_idx;
DROP INDEX ledger_entries_designer_idx;

-- Movements are listed by variant and id; ids come from an identity and are looked for alone by nobody.
ALTER TABLE stock_movements DROP CONSTRAINT stock_movements_pkey,
    ADD CONSTRAINT stock_movements_pkey PRIMARY KEY (variant_id, id);
DROP INDEX stock_movements_variant_idx;

-- Most rows have nothing there to be unique.
ALTER TABLE checkouts DROP CONSTRAINT checkouts_gateway_order_unique;
CREATE UNIQUE INDEX checkouts_gateway_order_unique ON checkouts (gateway_order_id) WHERE gateway_order_id IS NOT NULL;
ALTER TABLE carts DROP CONSTRAINT carts_guest_token_unique;
CREATE UNIQUE INDEX carts_guest_token_unique ON carts (guest_token_digest) WHERE guest_token_digest IS NOT NULL;
DROP INDEX mails_link_idx;
CREATE INDEX mails_link_idx ON mails (link_id) WHERE link_id IS NOT NULL;

-- While a mail is being sent it stays due, and is nobody else's until then: taking it changes no indexed column.
ALTER TABLE mails ADD COLUMN leased_until timestamptz;

-- Room for the next version of a row on its own page, so that its index entries stay: carts are touched again and again,
-- a request gets its answer, a mail is taken.
ALTER TABLE carts SET (fillfactor = 70);
ALTER TABLE request_log SET (fillfactor = 50);
ALTER TABLE mails SET (fillfactor = 70);

-- Mails that are due are a queue themselves; nobody takes these jobs any more.
DELETE FROM pgqueuer WHERE entrypoint = 'send_mail';
"""


def upgrade() -> None:
    """Drop and change them."""
    run_script(SCRIPT)


def downgrade() -> None:
    """Refuse: a mail in a worker's hands would look due to the version before, which knows no lease apart from that."""
    raise RuntimeError("leases of mails have no downgrade; restore a backup instead")
