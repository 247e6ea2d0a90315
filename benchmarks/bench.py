"""The bench itself: a stack, and how a scenario is played and measured on it. What is played is in `scenes.py`."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, TypeVar

import asyncpg
import grpc

from benchmarks.figures import Figure, Result, figure
from benchmarks.generators import generate
from benchmarks.job import Account, Job, Scenario
from benchmarks.machine import load_average, machine
from benchmarks.meters import CpuMeter
from benchmarks.shop import Shelves, Shop
from benchmarks.stack import Stack, running_stack

T = TypeVar("T")

_CATCH_UP_SECONDS: Final = 60.0
_POLL_SECONDS: Final = 0.1
_BUSY: Final = "SELECT EXISTS (SELECT FROM pgqueuer) OR EXISTS (SELECT FROM outbox_events WHERE published_at IS NULL)"
# Of each generator, where several servers share the port.
_CONNECTIONS: Final = 8


@dataclass(frozen=True, slots=True)
class Settings:
    """How much to measure. Times are in seconds."""

    runs: int = 3
    seconds: float = 6.0
    warm_up: float = 2.0
    shoppers: int = 100
    browsers: int = 32
    generators: int = 1
    """Processes that generate load. One takes less CPU for a call than two, and has some thousand calls a second in it."""
    workers: int = 1
    several: int = 2
    """Server processes of a second stack, on which some scenarios are played again; 0 leaves it out."""
    worker: bool = True
    password_threads: int = 1
    """Of each server process."""
    statement_times: bool = False


@dataclass(frozen=True, slots=True)
class Bench:
    """One stack, and what is done on it."""

    settings: Settings
    stack: Stack
    tell: Callable[[str], None]

    def measure(
        self,
        scenario: Scenario,
        accounts: Sequence[Account],
        choices: Sequence[str],
        *,
        once: bool = False,
        rate: float = 0.0,
        seconds: float | None = None,
        warm_up: float | None = None,
        generators: int | None = None,
        catch_up: bool = True,
        also: Callable[[], None] | None = None,
    ) -> Figure:
        """Play the scenario: in a closed loop, once, or with so many rounds begun a second; afterwards wait for the worker
        to catch up. What is not given is as in the settings. `also` is called when the measuring begins and ends."""
        warm_up = self.settings.warm_up if warm_up is None else warm_up
        job = Job(
            scenario=scenario,
            address=self.stack.grpc_address,
            accounts=list(accounts),
            first_client=0,
            choices=list(choices),
            key_secret=self.stack.key_secret,
            warm_up=0.0 if once else warm_up,
            seconds=self.settings.seconds if seconds is None else seconds,
            once=once,
            rate=rate,
            # With one connection each, two generators may end up at one of two servers.
            connections=1 if self.settings.workers == 1 else _CONNECTIONS,
        )
        meter = CpuMeter(self.stack.pids())

        def read_meters() -> None:
            meter()
            if also is not None:
                also()

        # No generator without an account to play.
        tally = generate(job, min(generators or self.settings.generators, len(accounts)), read_meters)
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
    folder.mkdir(parents=True, exist_ok=True)
    result = Result(datetime.now(UTC).isoformat(timespec="seconds"), machine(), load_average(), asdict(settings))
    with running_stack(
        folder,
        workers=settings.workers,
        password_threads=settings.password_threads,
        statement_times=settings.statement_times,
    ) as stack:
        if not settings.worker:
            stack.supervisor.stop("worker")
        yield Bench(settings, stack, tell), result
