"""Starts the stack, plays the acts one after the other, and says how it went."""

import asyncio
import json
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Final

import httpx

from kapda.entrypoints.cli.account import log_in
from kapda.entrypoints.cli.demo.proof import a_log_out, the_books, the_promises
from kapda.entrypoints.cli.demo.purchase import a_purchase
from kapda.entrypoints.cli.demo.race import a_race
from kapda.entrypoints.cli.demo.repeats import a_browser_that_never_returns, a_double_submit, a_replayed_webhook
from kapda.entrypoints.cli.demo.stage import Stage
from kapda.entrypoints.cli.demo.story import Story, duration
from kapda.entrypoints.cli.demo.troubles import a_lost_refund, paid_too_late, the_lost_refund_found, webhooks_lost
from kapda.entrypoints.cli.mailbox import Mailbox
from kapda.entrypoints.cli.razorpay_page import razorpay_page_at
from kapda.entrypoints.cli.stack import ADMIN_EMAIL, STACK_ERRORS, Stack, demo_stack
from kapda.entrypoints.cli.wire import RefusedError, wire_to

_SHOWN_TROUBLES: Final = 20
_TROUBLE: Final = ('"level":"warning"', '"level":"error"', '"level":"critical"', "Traceback")
_INTERRUPTED: Final = 130


def run_demo() -> int:
    """Play the demo; return 0 when every act went as expected and every promise that is built holds, else 1."""
    story = Story()
    start = time.monotonic()
    with ExitStack() as cleanup:
        try:
            story.act("1. The stack comes up")
            with story.waiting("PostgreSQL, Valkey, the emulator and kapda's processes are starting ..."):
                stack = cleanup.enter_context(demo_stack())
            _what_runs(story, stack)
            with _failures_told(story):
                asyncio.run(_play(story, stack))
            stack.supervisor.check()
        except STACK_ERRORS as error:
            story.fail(str(error))
        except KeyboardInterrupt:
            return _INTERRUPTED
        else:
            _troubles(story, stack)
        story.tell("")
        story.tell("stopping everything")
    return story.end(time.monotonic() - start)


def _what_runs(story: Story, stack: Stack) -> None:
    told = stack.environment
    where = {
        "postgresql": told["KAPDA_DATABASE_URL"],
        "valkey": told["KAPDA_REDIS_URL"],
        "seed": f"migrated; {_seeded(stack)}",
        "emulator": f"Razorpay's stand-in, {told['KAPDA_RAZORPAY_BASE_URL']}",
        "serve": f"gRPC, {told['KAPDA_GRPC_ADDRESS']}",
        "webhooks": f"signed webhooks, {told['KAPDA_EMULATOR_WEBHOOK_URL']}",
        "worker": f"jobs and sweeps, http://{told['KAPDA_WORKER_ADDRESS']}",
    }
    table = story.table("part", "what and where", "ready after")
    table.columns[2].justify = "right"
    for part, seconds in stack.durations.items():
        table.add_row(part, where[part], duration(seconds))
    story.show(table)
    story.tell("everything listens on this machine only, on ports that were free")


def _seeded(stack: Stack) -> str:
    """What the seed said it wrote."""
    lines = (stack.supervisor.logs / "seed.log").read_text().splitlines()
    written: dict[str, int] = next((json.loads(line) for line in reversed(lines) if line.startswith('{"users"')), {})
    return ", ".join(f"{count:,} {what}" for what, count in written.items())


async def _play(story: Story, stack: Stack) -> None:
    told = stack.environment
    async with wire_to(told["KAPDA_GRPC_ADDRESS"]) as wire, razorpay_page_at(told["KAPDA_RAZORPAY_BASE_URL"]) as page:
        admin = await log_in(wire, ADMIN_EMAIL, told["KAPDA_SEED_ADMIN_PASSWORD"])
        stage = Stage(story, wire, page, admin, Mailbox(Path(told["KAPDA_MAIL_FOLDER"])))
        with _failures_told(story):
            purchase = await a_purchase(stage)
            await a_replayed_webhook(stage, purchase)
            await a_double_submit(stage)
            await a_browser_that_never_returns(stage)
            cancelled = await a_lost_refund(stage)
            await webhooks_lost(stage)
            await paid_too_late(stage)
            await a_race(stage)
            await a_log_out(stage)
            await the_lost_refund_found(stage, cancelled)
        # Whatever happened above: these must be true.
        with _failures_told(story):
            await the_books(stage)
        with _failures_told(story):
            await the_promises(stage)


@contextmanager
def _failures_told(story: Story) -> Iterator[None]:
    try:
        yield
    except (RefusedError, httpx.HTTPError, LookupError) as error:
        story.fail(f"the act ended early: {type(error).__name__} {error}")


def _troubles(story: Story, stack: Stack) -> None:
    """After a failure: what the processes complained about."""
    if not story.failures:
        return
    for log in sorted(stack.supervisor.logs.glob("*.log")):
        lines = [line for line in log.read_text().splitlines() if any(level in line for level in _TROUBLE)]
        for line in lines[-_SHOWN_TROUBLES:]:
            story.tell(f"{log.name}: {line}")
