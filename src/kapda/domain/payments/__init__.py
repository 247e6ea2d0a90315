"""Payments: what the gateway says of the money, what we keep of it, and money that awaits a decision."""
