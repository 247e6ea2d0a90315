"""`python -m benchmarks.overload`: a crowd four times as large as can be served, and what becomes of it.

The load is an open loop, from processes of its own: who comes does not wait for those before. Meanwhile another process
asks for health. Before and after it the server's memory is read, and afterwards one shopper buys until it is as it was.
"""

import argparse
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final

import msgspec

from benchmarks.bench import Bench, Settings, prepared
from benchmarks.client import REFUSED
from benchmarks.figures import Figure
from benchmarks.job import NOBODY, Account, Scenario
from benchmarks.kept import keep
from benchmarks.machine import load_average, machine
from benchmarks.meters import memory_mib
from benchmarks.shop import Shelves

_HEALTH_A_SECOND: Final = 20.0
# A lone shopper's call that is faster than this meets no line.
_WELL_MS: Final = 300.0
_LOOK_SECONDS: Final = 0.5
_PATIENCE_SECONDS: Final = 60.0


class Overload(msgspec.Struct):
    """Everything that is kept."""

    taken_at: str
    machine: dict[str, object]
    shared_machine_load: float
    settings: dict[str, object]
    times: float
    sustainable: Figure
    flood: Figure
    health: Figure
    server_mib_before: float
    server_mib_after: float
    recovered_after: float | None
    broken_promises: list[str]


def measure(bench: Bench, times: float) -> tuple[Figure, Figure, Figure, float, float, float | None, list[str]]:
    """The sustainable rate in a closed loop, then the flood with health beside it, then how soon it is over."""
    shelves = bench.in_shop(bench.open_shop)
    accounts = bench.in_shop(lambda shop: shop.sign_up(bench.settings.shoppers))
    sustainable = bench.measure(Scenario.PURCHASE, accounts[:100], shelves.many)
    server = bench.stack.pids()["server"]
    before = memory_mib(server)
    with ThreadPoolExecutor(1) as beside:
        asking = beside.submit(bench.measure, Scenario.ECHO, [NOBODY], (), rate=_HEALTH_A_SECOND)
        flood = bench.measure(
            Scenario.PURCHASE, accounts, shelves.many, rate=times * max(1.0, sustainable.per_second), catch_up=False
        )
        recovered = _recovery(bench, accounts[0], shelves)
        health = asking.result()
    after = memory_mib(server)
    broken = bench.in_shop(lambda shop: shop.broken_promises())
    return sustainable, flood, health, before, after, recovered, broken


def _recovery(bench: Bench, account: Account, shelves: Shelves) -> float | None:
    """Seconds from the end of the flood until a lone shopper meets no line; None when that does not come."""
    ended = time.monotonic()
    while time.monotonic() - ended < _PATIENCE_SECONDS:
        begun = time.monotonic()
        looked = bench.measure(
            Scenario.PURCHASE, [account], shelves.many, seconds=_LOOK_SECONDS, warm_up=0.0, generators=1, catch_up=False
        )
        served = [latency.p99 for method, latency in looked.latencies.items() if not method.endswith(REFUSED)]
        if looked.rounds and not looked.refusals and max(served) < _WELL_MS:
            return round(begun - ended, 1)
    return None


def main() -> int:
    """Run it; 1 when what was promised for an overload did not come true."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.overload", description=__doc__)
    parser.add_argument("--seconds", type=float, default=20.0, help="how long the flood lasts")
    parser.add_argument("--times", type=float, default=4.0, help="the flood in multiples of the sustainable rate")
    parser.add_argument("--shoppers", type=int, default=600, help="accounts; each buys one thing at a time")
    parser.add_argument("--workers", type=int, default=1, help="server processes")
    parser.add_argument("--save", action="store_true", help="keep the figures under benchmarks/results")
    options = parser.parse_args()
    settings = Settings(runs=1, seconds=options.seconds, shoppers=options.shoppers, workers=options.workers)
    load = load_average()
    with (
        tempfile.TemporaryDirectory(prefix="kapda-overload-") as folder,
        prepared(settings, Path(folder), print) as (bench, result),
    ):
        kept = Overload(
            result.taken_at, machine(), load, result.settings, options.times, *measure(bench, options.times)
        )
    kept_up = _report(kept)
    return 0 if (not options.save or keep(kept, kept.taken_at, "overload")) and kept_up else 1


def _report(kept: Overload) -> bool:
    flood, accepted = kept.flood, 0.0
    print(f"sustainable {kept.sustainable.per_second:,.0f} purchases/s; {kept.times:g} times as many came")
    print(f"bought meanwhile: {flood.per_second:,.0f}/s; not even sent, all accounts busy: {flood.unsent}")
    for method, latency in flood.latencies.items():
        print(f"  {method:22} {latency.calls:7,} calls, p50 {latency.p50:7.1f} ms, p99 {latency.p99:7.1f} ms")
        accepted = max(accepted, 0.0 if method.endswith(REFUSED) else latency.p99)
    calls, refused = sum(one.calls for one in flood.latencies.values()), sum(flood.refusals.values())
    print(f"refused: {refused / max(1, calls):.0%} of calls: {flood.refusals}")
    health = kept.health.latencies.get("Check")
    print(f"health: {health.p99 if health else float('nan')} ms at p99; refused {kept.health.refusals or 'never'}")
    print(f"server's memory: {kept.server_mib_before:.0f} MiB before, {kept.server_mib_after:.0f} after")
    print(f"recovered after: {kept.recovered_after} s; promises broken: {kept.broken_promises or 'none'}")
    print(f"load of the machine before: {kept.shared_machine_load}")
    told_at_once = all(" UNAVAILABLE " in name or " RESOURCE_EXHAUSTED " in name for name in flood.refusals)
    kept_up = accepted < 1_000 and told_at_once and not kept.health.refusals and kept.recovered_after is not None
    return kept_up and not kept.broken_promises


if __name__ == "__main__":
    sys.exit(main())
