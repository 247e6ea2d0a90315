"""`kapda dev`: keeps the whole stack running and says how to talk to it."""

import asyncio
import json
import shlex
import sys
from contextlib import ExitStack
from pathlib import Path

from kapda.api.catalog.v1 import catalog_service_pb2, product_pb2
from kapda.api.identity.v1 import identity_service_pb2
from kapda.entrypoints.cli.account import Account, log_in, sign_up
from kapda.entrypoints.cli.dev_lines import Introduction
from kapda.entrypoints.cli.mailbox import showing_mails
from kapda.entrypoints.cli.stack import ADMIN_EMAIL, DEVELOPMENT_FOLDER, STACK_ERRORS, Stack, development_stack
from kapda.entrypoints.cli.wire import RefusedError, Wire, send, wire_to

_MOST_PRODUCTS = 100


def run_dev() -> int:
    """Run until Ctrl-C; return 0 then, and 1 when something did not start or ended by itself. SIGTERM raises SystemExit."""
    with ExitStack() as cleanup:
        try:
            _say("starting PostgreSQL, Valkey, the emulator and kapda's processes ...")
            stack = cleanup.enter_context(development_stack())
            _say(asyncio.run(_introduction(stack)))
            _say(f"# Data and logs are in {DEVELOPMENT_FOLDER.resolve()}. Ctrl-C stops everything.")
            if not stack.environment.get("KAPDA_SMTP_HOST"):
                cleanup.enter_context(showing_mails(Path(stack.environment["KAPDA_MAIL_FOLDER"]), _say))
            stack.supervisor.watch()
        except (*STACK_ERRORS, RefusedError) as error:
            _say(str(error))
            return 1
        except KeyboardInterrupt:
            _say("\nstopping everything")
    return 0


async def _introduction(stack: Stack) -> str:
    told = stack.environment
    programs = {program.name for program in stack.supervisor.programs}
    async with wire_to(told["KAPDA_GRPC_ADDRESS"]) as wire:
        admin = await _admin(wire, told["KAPDA_SEED_ADMIN_PASSWORD"])
        return Introduction(
            address=told["KAPDA_GRPC_ADDRESS"],
            emulator_url=told["KAPDA_RAZORPAY_BASE_URL"] if "emulator" in programs else "",
            customer=await sign_up(wire, "Demo Customer"),
            admin=admin,
            product=await _some_product(wire),
            sign_with="" if admin is None else await _signing_key(stack, admin),
            kapda=shlex.quote(str(Path(sys.executable).with_name("kapda"))),
        ).text()


async def _admin(wire: Wire, password: str) -> Account | None:
    try:
        return await log_in(wire, ADMIN_EMAIL, password)
    except RefusedError:
        return None  # a database that was seeded elsewhere has another password


async def _signing_key(stack: Stack, admin: Account) -> str:
    """A signing key of the admin's, made as an operator makes one; each run makes another, because none is told twice."""
    who = (await admin.send(admin.wire.identity.GetMe, identity_service_pb2.GetMeRequest())).message.user
    return str(
        json.loads(await asyncio.to_thread(stack.chore, "signing-key", "issue", who.id, "--reason", "kapda dev"))[
            "sign_with"
        ]
    )


async def _some_product(wire: Wire) -> product_pb2.Product | None:
    request = catalog_service_pb2.ListProductsRequest(category="kurta", page_size=_MOST_PRODUCTS)
    found = (await send(wire.catalog.ListProducts, request)).message.products
    for summary in found:
        if summary.in_stock:
            wanted = catalog_service_pb2.GetProductRequest(product_id=summary.id)
            return (await send(wire.catalog.GetProduct, wanted)).message.product
    return None


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()
