"""The emulator as a process. It shares kapda's settings and nothing else, so it starts without the container."""

import sys

from kapda.emulator import EmulatorSettings
from kapda.emulator import serve as serve_emulator
from kapda.entrypoints.addresses import host_and_port
from kapda.entrypoints.settings import Environment, Settings


async def run_emulator(settings: Settings, address: str, webhook_url: str, seed: int) -> None:
    """Serve the emulator with the keys and secrets of these settings."""
    if settings.environment is Environment.PRODUCTION:
        sys.exit("the emulator does not run in production")
    host, port = host_and_port(address)
    await serve_emulator(
        EmulatorSettings(
            key_id=settings.razorpay_key_id,
            key_secret=settings.razorpay_key_secret[0].get_secret_value(),
            host=host,
            port=port,
            account_id=settings.razorpay_account_id,
            seed=seed,
            webhook_url=webhook_url or None,
            webhook_secret=settings.razorpay_webhook_secrets[0].get_secret_value(),
        )
    )
