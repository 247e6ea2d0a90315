"""Stock: what is there, what is held for checkouts, and the ledger of every change."""
