"""Carts: what a customer, or a guest, means to buy, at the price that was shown."""
