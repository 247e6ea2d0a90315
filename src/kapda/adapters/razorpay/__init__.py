"""Razorpay behind the payments context's ports: the official SDK, walled in."""
