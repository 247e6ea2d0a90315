"""Carts: what a customer means to buy, at the price that was shown."""
