"""The bench itself: sets the scene, plays every scenario some times, and asks the auditor."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, TypeVar

import asyncpg
import grpc

from benchmarks import floors
from benchmarks.figures import Figure, Memory, Result, figure
from benchmarks.generators import generate
from benchmarks.job import Job, Scenario
from benchmarks.machine import load_average, machine
from benchmarks.meters import CpuMeter, memory_mib, peak_memory_mib
from benchmarks.shop import Shelves, Shop
from benchmarks.stack import Stack, running_stack

T = TypeVar("T")

SCARCE_PIECES: Final = 10
_CATCH_UP_SECONDS: Final = 60.0
_POLL_SECONDS: Final = 0.1
_BUSY: Final = "SELECT EXISTS (SELECT FROM pgqueuer) OR EXISTS (SELECT FROM outbox_events WHERE published_at IS NULL)"
# Of each generator, where several servers share the port.
_CONNECTIONS: Final = 8


@dataclass(frozen=True, slots=True)
class Settings:
    """How much to measure. Times are in seconds."""

    runs: int = 3
    seconds: float = 8.0
    warm_up: float = 2.0
    shoppers: int = 100
    browsers: int = 32
    generators: int = 2
    workers: int = 1
    worker: bool = True
    statement_times: bool = False


@dataclass(frozen=True, slots=True)
class Bench:
    """One stack, and what is done on it."""

    settings: Settings
    stack: Stack
    tell: Callable[[str], None]

    def run(self, result: Result) -> None:
        """Measure everything; the result is filled as it goes."""
        shelves = self.in_shop(self.open_shop)
        for number in range(self.settings.runs):
            self.tell(f"run {number + 1} of {self.settings.runs}")
            result.runs.append(self._one_run(number, shelves))
        pids = self.stack.pids()
        result.memory = Memory(
            {name: round(memory_mib(pid), 1) for name, pid in pids.items()}, round(peak_memory_mib(pids["server"]), 1)
        )
        result.broken_promises = self.in_shop(lambda shop: shop.broken_promises())
        self.stack.supervisor.check()
        self._floors(result)

    def _one_run(self, number: int, shelves: Shelves) -> dict[str, Figure]:
        # New accounts for each run: tokens last fifteen minutes.
        tokens = self.in_shop(lambda shop: shop.sign_up(self.settings.shoppers))
        browsers = tokens[: self.settings.browsers]
        scarce = shelves.scarce[number]
        self.in_shop(lambda shop: shop.leave_pieces(scarce, SCARCE_PIECES))
        found = {
            "purchase": self.measure(Scenario.PURCHASE, tokens, shelves.many),
            "purchase of one hot variant": self.measure(Scenario.PURCHASE, tokens, (shelves.hot,)),
            "sale": self.measure(Scenario.PURCHASE, tokens, (scarce,), once=True),
        }
        self.in_shop(lambda shop: shop.empty_carts(tokens))
        return found | {
            "add to cart": self.measure(Scenario.ADD, tokens, shelves.many),
            "list": self.measure(Scenario.LIST, browsers, ()),
            "search": self.measure(Scenario.SEARCH, browsers, ()),
            "echo": self.measure(Scenario.ECHO, browsers, ()),
        }

    def measure(
        self,
        scenario: Scenario,
        tokens: list[str],
        variants: tuple[str, ...],
        *,
        once: bool = False,
        rate: float = 0.0,
        seconds: float | None = None,
        warm_up: float | None = None,
        generators: int | None = None,
        catch_up: bool = True,
    ) -> Figure:
        """Play the scenario: in a closed loop, once, or with so many rounds begun a second; afterwards wait for the worker
        to catch up. What is not given is as in the settings."""
        warm_up = self.settings.warm_up if warm_up is None else warm_up
        job = Job(
            scenario=scenario,
            address=self.stack.grpc_address,
            tokens=tokens,
            first_client=0,
            variants=list(variants),
            key_secret=self.stack.key_secret,
            warm_up=0.0 if once else warm_up,
            seconds=self.settings.seconds if seconds is None else seconds,
            once=once,
            rate=rate,
            # With one connection each, two generators may end up at one of two servers.
            connections=1 if self.settings.workers == 1 else _CONNECTIONS,
        )
        meter = CpuMeter(self.stack.pids())
        # No generator without an account to play.
        tally = generate(job, min(generators or self.settings.generators, len(tokens)), meter)
        measured = figure(tally, meter.burnt(), asyncio.run(self._caught_up()) if catch_up else 0.0)
        self.tell(f"  {scenario}: {measured.per_second:,.0f}/s")
        return measured

    async def _caught_up(self) -> float:
        """Wait until the worker has nothing left to relay, so that one scenario is no burden on the next."""
        started = time.monotonic()
        connection = await asyncpg.connect(self.stack.database_url)
        try:
            while self.settings.worker and time.monotonic() - started < _CATCH_UP_SECONDS:
                if not await connection.fetchval(_BUSY):
                    break
                await asyncio.sleep(_POLL_SECONDS)
        finally:
            await connection.close()
        return time.monotonic() - started

    def _floors(self, result: Result) -> None:
        # Its orders would wake the worker, which is no part of the floor.
        if "worker" in self.stack.pids():
            self.stack.supervisor.stop("worker")
        cast = asyncio.run(floors.cast(self.stack.database_url))
        for _ in range(self.settings.runs):
            result.purchases_by_pgbench.append(floors.purchases_per_second(self.stack, cast, self.settings.seconds))
        self.tell(f"  pgbench: {max(result.purchases_by_pgbench):,.0f} purchases/s")

    async def open_shop(self, shop: Shop) -> Shelves:
        return await shop.fill_shelves(self.settings.runs)

    def in_shop(self, do: Callable[[Shop], Awaitable[T]]) -> T:
        async def enter() -> T:
            async with grpc.aio.insecure_channel(self.stack.grpc_address) as channel:
                shop = Shop(channel)
                await shop.enter_as_admin(self.stack.admin_password)
                return await do(shop)

        return asyncio.run(enter())


@contextmanager
def prepared(settings: Settings, folder: Path, tell: Callable[[str], None]) -> Iterator[tuple[Bench, Result]]:
    """A bench on a fresh stack, and the result to be filled."""
    result = Result(datetime.now(UTC).isoformat(timespec="seconds"), machine(), load_average(), asdict(settings))
    with running_stack(folder, workers=settings.workers, statement_times=settings.statement_times) as stack:
        if not settings.worker:
            stack.supervisor.stop("worker")
        yield Bench(settings, stack, tell), result
