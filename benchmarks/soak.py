"""`python -m benchmarks.soak`: minutes of steady load, and whether anything grows that should not.

Shoppers buy in an open loop, well below what can be sustained, while memory, connections, queues and tables are looked at.
What counts is the slope of each after the warm-up: what is flat in ten minutes and what would be full in a day.
"""

import argparse
import asyncio
import sys
import tempfile
import time
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Final

import asyncpg
import msgspec
from redis import Redis

from benchmarks.bench import Bench, Settings, prepared
from benchmarks.figures import Figure
from benchmarks.job import Scenario
from benchmarks.kept import keep
from benchmarks.meters import own_memory_mib
from benchmarks.trends import Sample, Trend, trends_of
from kapda.adapters.redis.event_stream import MAX_LENGTH, STREAM

_QUEUES: Final = """SELECT
    (SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()) AS connections,
    (SELECT count(*) FROM pgqueuer) AS jobs,
    (SELECT count(*) FROM outbox_events WHERE published_at IS NULL) AS "unsent events" """
_TABLES: Final = """SELECT relname, n_live_tup AS live, n_dead_tup AS dead, pg_total_relation_size(relid) AS bytes
    FROM pg_stat_user_tables ORDER BY relname"""
# Whose rows are changed in place or go again, so that neither they nor their indexes may grow.
_STEADY: Final = frozenset({"stock", "carts", "cart_lines", "pgqueuer"})
# The others grow by every purchase, and are meant to: by as much each, though, and so they are looked at once they have
# rows enough for their first pages not to count.
_ROWS_ENOUGH: Final = 1_000
_EVENT: Final = {"payload": "x" * 300}
_AT_ONCE: Final = 5_000


class Soak(msgspec.Struct):
    """Everything that is kept."""

    taken_at: str
    machine: dict[str, object]
    shared_machine_load: float
    settings: dict[str, object]
    begun_per_second: float
    figure: Figure
    trends: dict[str, Trend]
    samples: list[Sample]
    broken_promises: list[str]

    @property
    def kept_up(self) -> bool:
        """Whether nothing grew, nobody was refused or found no shopper free to play, and no promise is broken."""
        flat = all(trend.flat for trend in self.trends.values())
        return flat and not self.figure.refusals and not self.figure.unsent and not self.broken_promises


def soak(settings: Settings, folder: Path, *, rate: float, every: float) -> Soak:
    """Begin `rate` purchases a second for as long as the settings say, and look `every` so many seconds."""
    with prepared(settings, folder, print) as (bench, result), ThreadPoolExecutor(1) as beside:
        _fill_stream(bench)
        shelves = bench.in_shop(bench.open_shop)
        accounts = bench.in_shop(lambda shop: shop.sign_up(settings.shoppers))
        load = beside.submit(bench.measure, Scenario.PURCHASE, accounts, shelves.many, rate=rate)
        samples = asyncio.run(_watch(bench, load, every))
        return Soak(
            result.taken_at,
            result.machine,
            result.shared_machine_load,
            result.settings,
            rate,
            load.result(),
            trends_of(samples),
            samples,
            bench.in_shop(lambda shop: shop.broken_promises()),
        )


def _fill_stream(bench: Bench) -> None:
    """A shop that has run for a day has a full stream of events; filling it would look like a leak."""
    with Redis.from_url(bench.stack.valkey.url()) as redis:
        for _ in range(0, MAX_LENGTH, _AT_ONCE):
            pipeline = redis.pipeline(transaction=False)
            for _ in range(_AT_ONCE):
                pipeline.xadd(STREAM, _EVENT, maxlen=MAX_LENGTH, approximate=True)
            pipeline.execute()


async def _watch(bench: Bench, load: "Future[Figure]", every: float) -> list[Sample]:
    """Look until the load has ended."""
    connection = await asyncpg.connect(bench.stack.database_url)
    started, samples = time.monotonic(), []
    try:
        while not load.done():
            samples.append(Sample(round(time.monotonic() - started, 1), await _look(bench, connection)))
            await asyncio.sleep(every)
    finally:
        await connection.close()
    return samples


async def _look(bench: Bench, connection: asyncpg.Connection) -> dict[str, float]:
    values = {f"{name} MiB": round(own_memory_mib(pid), 1) for name, pid in bench.stack.pids().items()}
    queues = await connection.fetchrow(_QUEUES)
    values |= {name: float(count) for name, count in queues.items()}
    for row in await connection.fetch(_TABLES):
        if row["relname"] in _STEADY:
            values[f"{row['relname']} dead rows"] = float(row["dead"])
            values[f"{row['relname']} KiB"] = row["bytes"] / 1024
        elif row["live"] >= _ROWS_ENOUGH:
            values[f"{row['relname']} bytes a row"] = round(row["bytes"] / row["live"], 1)
    return values


def main() -> int:
    """Run it; 1 when something grows, a call was refused, a promise is broken, or the figures could not be kept."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.soak", description=__doc__)
    parser.add_argument("--seconds", type=float, default=600.0)
    parser.add_argument("--rate", type=float, default=30.0, help="purchases begun a second")
    parser.add_argument("--every", type=float, default=10.0, help="seconds between two looks")
    parser.add_argument("--shoppers", type=int, default=200)
    parser.add_argument("--workers", type=int, default=1, help="server processes")
    parser.add_argument("--save", action="store_true", help="keep the figures under benchmarks/results")
    options = parser.parse_args()
    settings = Settings(runs=1, seconds=options.seconds, shoppers=options.shoppers, workers=options.workers)
    with tempfile.TemporaryDirectory(prefix="kapda-soak-") as folder:
        found = soak(settings, Path(folder), rate=options.rate, every=options.every)
    _report(found)
    return 0 if (not options.save or keep(found, found.taken_at, "soak")) and found.kept_up else 1


def _report(found: Soak) -> None:
    figure = found.figure
    print(f"{figure.rounds:,} purchases, {figure.per_second:,.1f}/s of {found.begun_per_second:g}/s begun")
    print(f"refused: {figure.refusals or 'none'}; not even sent, all accounts busy: {figure.unsent}")
    for method, latency in figure.latencies.items():
        print(f"  {method:22} {latency.calls:7,} calls, p50 {latency.p50:7.1f} ms, p99 {latency.p99:7.1f} ms")
    for name, trend in found.trends.items():
        verdict = "flat" if trend.flat else f"GROWS (allowed {trend.allowed_a_minute:g})"
        print(f"  {name:22} median {trend.median:10,.1f}   {trend.a_minute:+10.2f} a minute   {verdict}")
    print(f"promises broken: {found.broken_promises or 'none'}; load before: {found.shared_machine_load}")


if __name__ == "__main__":
    sys.exit(main())
