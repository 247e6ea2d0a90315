"""Checkouts: prices fixed, stock held and a gateway order open until a deadline."""
