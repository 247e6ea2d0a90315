"""A stand-in for Razorpay: its HTTP API for orders, payments and refunds, its customers, its signed webhooks.

It knows nothing of the rest of kapda, so it can stand beside any Razorpay integration. State is in memory; the
same seed with the same calls gives the same ids and the same faults. It binds to the loopback interface by default and must
stay there.
"""

from kapda.emulator.app import create_app
from kapda.emulator.clock import Clock, SystemClock
from kapda.emulator.server import run, serve, serving
from kapda.emulator.settings import EmulatorSettings

__all__ = ["Clock", "EmulatorSettings", "SystemClock", "create_app", "run", "serve", "serving"]
