"""`python -m kapda.emulator`: an emulator beside any integration, with nothing of kapda around it."""

import argparse
from collections.abc import Sequence

from kapda.emulator.server import run
from kapda.emulator.settings import EmulatorSettings

# Without flags every emulator has these; they open nothing but itself.
KEY_ID = "rzp_test_emulator"
KEY_SECRET = "emulator-key-secret"  # noqa: S105  # pragma: allowlist secret  (of a pretended account)
WEBHOOK_SECRET = "emulator-webhook-secret"  # noqa: S105  # pragma: allowlist secret  (as above)


def parse(arguments: Sequence[str] | None = None) -> EmulatorSettings:
    """Returns the settings the flags ask for; wrong ones end the process with status 2 and say why."""
    parser = argparse.ArgumentParser(prog="python -m kapda.emulator", description="A stand-in for Razorpay.")
    add = parser.add_argument
    add("--host", default="127.0.0.1", help="where to listen; the controls ask for no password, so leave it")
    add("--port", type=int, default=8083)
    add("--key-id", default=KEY_ID)
    add("--key-secret", default=KEY_SECRET)
    add("--account-id", default="acc_KapdaEmulator1")
    add("--webhook-url", help="where webhooks go; none are made without")
    add("--webhook-secret", default=WEBHOOK_SECRET)
    add("--seed", type=int, default=1, help="of ids and of the chance of faults")
    add("--clock-start", type=float, help="Unix seconds; the clock stands there until it is told to advance")
    add("--manual-capture", dest="auto_capture", action="store_false", help="orders that do not say are not captured")
    add("--unique-receipts", dest="enforce_unique_receipts", action="store_true", help="refuse a receipt used before")
    add("--refunds-stay-pending", action="store_true", help="until the controls end them")
    try:
        return EmulatorSettings(**vars(parser.parse_args(arguments)))
    except ValueError as error:
        parser.error(str(error))


if __name__ == "__main__":
    run(parse())
