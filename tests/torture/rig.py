"""A stack of its own with two workers, and everything that can befall it: the seed says what, when and how long."""

import asyncio
import os
import random
import signal
from collections import Counter
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import asyncpg
import httpx

from kapda.adapters.embedded.postgres import EmbeddedPostgres
from kapda.adapters.embedded.processes import free_port
from kapda.adapters.embedded.valkey import EmbeddedValkey
from kapda.entrypoints.cli.probes import http_is_ready
from kapda.entrypoints.cli.stack import Stack, running_stack
from kapda.entrypoints.cli.supervisor import Supervisor
from tests.shop.processes import frozen_postgres
from tests.shop.wire import ADMIN_PASSWORD, Json
from tests.waiting import until

_GIVEN = {
    "KAPDA_SEED_ADMIN_PASSWORD": ADMIN_PASSWORD,
    # Nobody waits two minutes for the sweep of the account's payments here.
    "KAPDA_PAYMENTS_SWEEP_SECONDS": "3",
    # One admin refunds for a whole crowd.
    "KAPDA_RATE_CALLER": "600000 per minute",
}
SECOND_WORKER = "worker-2"
# Each of them is, once at least.
KILLED = ("serve", "worker", SECOND_WORKER, "webhooks", "postgresql", "valkey")
_READY_SECONDS = 60.0
_OVERTIME_SECONDS = 300.0
# On average between two strikes; a killed program is back after a second or so.
_PAUSE_SECONDS = 0.7
# What the gateway does wrong for some calls or events, without lying about amounts.
_FAULTS: tuple[Json, ...] = (
    {"kind": "timeout_after", "times": 2},
    {"kind": "timeout_before", "times": 2},
    {"kind": "timeout_after", "operation": "create_order", "times": 2},
    {"kind": "timeout_after", "operation": "capture", "times": 1},
    {"kind": "timeout_after", "operation": "refund", "times": 2},
    {"kind": "server_error", "acts": True, "times": 3},
    {"kind": "html", "status": 502, "times": 2},
    {"kind": "rate_limited", "probability": 0.3},
    {"kind": "list_lag", "seconds": 300},
    {"kind": "refund_in_progress", "times": 2},
    {"kind": "refund_pending", "then": "processed", "after_seconds": 2, "times": 3},
    {"kind": "refund_pending", "then": "failed", "after_seconds": 2, "times": 1},
    {"kind": "second_payment", "times": 1},
    {"kind": "paid_amount", "by": -100, "times": 1},
    {"kind": "webhook_drop", "times": 3},
    {"kind": "webhook_duplicate", "copies": 2, "times": 5},
    {"kind": "webhook_reorder", "behind": 2, "times": 3},
    {"kind": "webhook_delay", "seconds": 5, "times": 5},
)


@dataclass
class Rig:
    """The processes, and the dice."""

    stack: Stack
    workers: Supervisor
    """The second worker has a supervisor of its own: it listens elsewhere."""
    gateway: httpx.AsyncClient
    dice: random.Random
    strikes: Counter[str]

    def supervisor_of(self, name: str) -> Supervisor:
        """Who runs the program."""
        return self.workers if name == SECOND_WORKER else self.stack.supervisor

    async def end(self, name: str, how: signal.Signals) -> None:
        """The program is told to go, or killed; somebody starts it again at once."""
        supervisor = self.supervisor_of(name)
        process = supervisor._running[name]
        process.send_signal(how)
        await until(lambda: process.poll() is not None, within=_READY_SECONDS)
        supervisor.start(name)
        program = next(program for program in supervisor.programs if program.name == name)
        await until(lambda: asyncio.to_thread(program.is_ready), within=_READY_SECONDS)
        await self.leases_run_out()

    async def freeze(self, name: str) -> None:
        """The program hangs for a while; its sockets stay open, and nobody answers."""
        process = self.supervisor_of(name)._running[name]
        process.send_signal(signal.SIGSTOP)
        try:
            await asyncio.sleep(self.dice.uniform(0.3, 2.5))
        finally:
            process.send_signal(signal.SIGCONT)

    async def power_cut(self) -> None:
        """The database loses its power and recovers."""
        postgres = self.stack.supervisor.services["postgresql"]
        assert isinstance(postgres, EmbeddedPostgres)
        postgres.kill()
        await asyncio.sleep(self.dice.uniform(0.0, 0.5))
        # From this thread: the kernel ends what a thread has started when the thread ends.
        postgres.start()
        await self.leases_run_out()

    async def database_hangs(self) -> None:
        """Nobody in the database answers for a while, and all connections stay open."""
        with frozen_postgres(self.stack):
            await asyncio.sleep(self.dice.uniform(0.3, 3.0))

    async def without_valkey(self) -> None:
        """Redis is gone for a while, and everything it knew with it."""
        valkey = self.stack.supervisor.services["valkey"]
        assert isinstance(valkey, EmbeddedValkey)
        valkey.kill()
        await asyncio.sleep(self.dice.uniform(0.3, 1.5))
        valkey.start()

    async def without_webhooks(self) -> None:
        """Nobody is told anything, and what happens meanwhile never will be."""
        await self.gateway.put("/emulator/webhooks", json={"enabled": False})
        await asyncio.sleep(self.dice.uniform(0.5, 3.0))
        await self.gateway.put("/emulator/webhooks", json={"enabled": True})

    async def clock_jump(self) -> None:
        """The gateway's clock runs ahead: webhooks are sent again, refunds end, capture windows close."""
        await self.gateway.post("/emulator/clock", json={"advance_seconds": self.dice.uniform(10, 900)})

    async def misbehave(self, fault: Json) -> None:
        """The gateway goes wrong in one way, until it has gone wrong often enough."""
        (await self.gateway.put(f"/emulator/faults/{fault['kind']}", json=fault)).raise_for_status()

    async def good_behaviour(self) -> None:
        """Nothing goes wrong at the gateway any more, and it delivers."""
        (await self.gateway.delete("/emulator/faults")).raise_for_status()
        (await self.gateway.put("/emulator/webhooks", json={"enabled": True})).raise_for_status()

    async def leases_run_out(self) -> None:
        """Half a minute passes for whoever was opening a checkout at the gateway when its process died."""
        with suppress(OSError, asyncpg.PostgresError):
            connection = await asyncpg.connect(self.stack.environment["KAPDA_DATABASE_URL"])
            await connection.execute("UPDATE checkouts SET gateway_lease_until = NULL WHERE state = 'opening'")
            await connection.close()

    async def storm(self, seconds: float, *, enough: Callable[[], bool]) -> None:
        """Something befalls the shop, again and again; nothing twice at once, much at the same time.

        For so many seconds, and then on until each program and each server has been killed and `enough` has been done
        meanwhile: a campaign on a busy machine is none otherwise.
        """
        busy: dict[str, asyncio.Task[None]] = {}
        ends = asyncio.get_running_loop().time() + seconds
        while (late := asyncio.get_running_loop().time() - ends) < 0 or self._owed() or not enough():
            assert late < _OVERTIME_SECONDS, f"too little was done: {self._owed()}"
            await asyncio.sleep(self.dice.expovariate(1 / _PAUSE_SECONDS))
            name, strike = self._next(*(self._owed() if late > 0 else ()))
            target = name.split()[-1]
            if target in busy and not busy[target].done():
                continue
            self.strikes[name] += 1
            busy[target] = asyncio.create_task(strike(), name=name)
        # A strike that failed is a failure of the test; all of them have to be over before the books are read.
        await asyncio.gather(*busy.values())

    def _owed(self) -> list[str]:
        return [f"killed {name}" for name in KILLED if not self.strikes[f"killed {name}"]]

    def _next(self, *owed: str) -> tuple[str, Callable[[], Coroutine[Any, Any, None]]]:
        fault = self.dice.choice(_FAULTS)
        strikes: dict[str, tuple[int, Callable[[], Coroutine[Any, Any, None]]]] = {
            **{
                f"{word} {name}": (weight, partial(self.end, name, how))
                for name, weight in (("serve", 4), ("worker", 3), (SECOND_WORKER, 2), ("webhooks", 2))
                for word, how in (("killed", signal.SIGKILL), ("told to go:", signal.SIGTERM))
            },
            **{f"frozen {name}": (1, partial(self.freeze, name)) for name in ("serve", "worker", "webhooks")},
            "frozen emulator": (3, partial(self.freeze, "emulator")),
            "killed postgresql": (4, self.power_cut),
            "frozen postgresql": (2, self.database_hangs),
            "killed valkey": (3, self.without_valkey),
            "webhooks off at the emulator": (2, self.without_webhooks),
            "clock jump of the emulator": (3, self.clock_jump),
            f"fault {fault['kind']}": (12, partial(self.misbehave, fault)),
        }
        names = owed or tuple(strikes)
        (name,) = self.dice.choices(names, weights=[strikes[name][0] for name in names])
        return name, strikes[name][1]


@contextmanager
def campaign_stack(folder: Path) -> Iterator[tuple[Stack, Supervisor]]:
    """Everything, with a second worker."""
    with running_stack(folder, _GIVEN) as stack:
        address = f"127.0.0.1:{free_port()}"
        worker = next(program for program in stack.supervisor.programs if program.name == "worker")
        second = replace(worker, name=SECOND_WORKER, is_ready=partial(http_is_ready, f"http://{address}/api/ready"))
        environment = {**os.environ, **stack.environment, "KAPDA_WORKER_ADDRESS": address}
        with Supervisor(tasks=(), programs=(second,), environment=environment, logs=folder / "second") as workers:
            yield stack, workers
