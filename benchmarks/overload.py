"""`python -m benchmarks.overload`: a crowd four times as large as can be served, and what becomes of it.

The load is an open loop, from processes of its own: who comes does not wait for those before. Meanwhile another process
asks for health. Before and after it the server's memory is read, the most it ever had too, and afterwards one shopper buys
until it is as it was.
"""

import argparse
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final

import msgspec

from benchmarks.bars import Bar
from benchmarks.bench import Bench, Settings, prepared
from benchmarks.client import REFUSED, WITHOUT_RETRY
from benchmarks.figures import Figure, without_cpu
from benchmarks.job import NOBODY, Account, Scenario
from benchmarks.kept import keep
from benchmarks.meters import memory_mib, peak_memory_mib
from benchmarks.report import print_bars, print_figures
from benchmarks.shop import Shelves

_SHOPPERS: Final = 100
_HEALTH_A_SECOND: Final = 20.0
# A lone shopper's call that is faster than this meets no line.
_WELL_MS: Final = 300.0
_LOOK_SECONDS: Final = 0.5
_PATIENCE_SECONDS: Final = 60.0
# What may still look flat: pages that the allocator keeps are not given back at once.
_FLAT: Final = 1.1
_RECOVERY_SECONDS: Final = 10.0


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
    server_peak_before: float
    server_peak_after: float
    recovered_after: float | None
    broken_promises: list[str]


def overload(settings: Settings, folder: Path, *, times: float) -> Overload:
    """Find the sustainable rate in a closed loop, then begin so many times that, with health beside it, and see how soon
    it is over."""
    with prepared(settings, folder, print) as (bench, result), ThreadPoolExecutor(1) as beside:
        shelves = bench.in_shop(bench.open_shop)
        accounts = bench.in_shop(lambda shop: shop.sign_up(settings.shoppers))
        sustainable = bench.measure(Scenario.PURCHASE, accounts[:_SHOPPERS], shelves.many)
        server = bench.stack.pids()["server"]
        before, peak_before = round(memory_mib(server), 1), round(peak_memory_mib(server), 1)
        rate = times * max(1.0, sustainable.per_second)
        asking = beside.submit(bench.measure, Scenario.ECHO, [NOBODY], (), rate=_HEALTH_A_SECOND, catch_up=False)
        # Nobody comes after that; who came before may be waiting still.
        last_came = time.monotonic() + settings.warm_up + settings.seconds
        flood = bench.measure(Scenario.PURCHASE, accounts, shelves.many, rate=rate, catch_up=False)
        recovered = _recovery(bench, accounts[0], shelves, last_came)
        return Overload(
            result.taken_at,
            result.machine,
            result.shared_machine_load,
            result.settings,
            times,
            sustainable,
            flood,
            without_cpu(asking.result()),
            before,
            round(memory_mib(server), 1),
            peak_before,
            round(peak_memory_mib(server), 1),
            recovered,
            bench.in_shop(lambda shop: shop.broken_promises()),
        )


def _recovery(bench: Bench, account: Account, shelves: Shelves, last_came: float) -> float | None:
    """Seconds from the last arrival of the flood until a lone shopper has met no line; None when that does not come."""
    while time.monotonic() - last_came < _PATIENCE_SECONDS:
        looked = bench.measure(
            Scenario.PURCHASE, [account], shelves.many, seconds=_LOOK_SECONDS, warm_up=0.0, generators=1, catch_up=False
        )
        served = [latency.p99 for method, latency in looked.latencies.items() if not method.endswith(REFUSED)]
        if looked.rounds and not looked.refusals and max(served) < _WELL_MS:
            return round(time.monotonic() - last_came, 1)
    return None


def bars_of(found: Overload) -> Iterator[Bar]:
    """What is asked for in an overload."""
    latencies, refusals = found.flood.latencies, found.flood.refusals
    accepted = {name: one.p99 for name, one in latencies.items() if not name.endswith(REFUSED)}
    refused = {name: one.p99 for name, one in latencies.items() if name.endswith(REFUSED)}
    yield Bar("below 1,000 p99 of calls let in, ms", _told(accepted), bool(accepted) and max(accepted.values()) < 1_000)
    yield Bar(
        "below 1,000 p99 of those turned away, ms", _told(refused) or "none", max(refused.values(), default=0) < 1_000
    )
    typed = [" UNAVAILABLE " in name or " RESOURCE_EXHAUSTED " in name for name in refusals]
    yield Bar(
        "those are told when to come back",
        ", ".join(f"{name}: {count}" for name, count in refusals.items()) or "none",
        all(typed) and not any(WITHOUT_RETRY in name for name in refusals),
    )
    health = found.health.latencies.get("Check")
    answers = health is not None and health.p99 < 1_000 and not found.health.refusals
    yield Bar("health answers within a second", f"p99 {health.p99:.0f} ms" if health else "never", answers)
    yield Bar(
        "the server's memory stays flat",
        f"{found.server_mib_before:.0f} MiB before, {found.server_mib_after:.0f} after; at most"
        f" {found.server_peak_before:.0f} before, {found.server_peak_after:.0f} after",
        found.server_mib_after < _FLAT * found.server_mib_before
        and found.server_peak_after < _FLAT * found.server_peak_before,
    )
    yield Bar("whoever was due came", f"{found.flood.unsent} found no account free", found.flood.unsent == 0)
    after = found.recovered_after
    yield Bar(
        f"recovers within {_RECOVERY_SECONDS:.0f} s", f"{after}", after is not None and after <= _RECOVERY_SECONDS
    )
    yield Bar("promises kept", ", ".join(found.broken_promises) or "all", not found.broken_promises)


def _told(p99s: dict[str, float]) -> str:
    return ", ".join(f"{name} {p99:.0f}" for name, p99 in p99s.items())


def main() -> int:
    """Run it; 1 when what was promised for an overload did not come true, or the figures could not be kept."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.overload", description=__doc__)
    parser.add_argument("--seconds", type=float, default=20.0, help="how long the flood lasts")
    parser.add_argument("--times", type=float, default=4.0, help="the flood in multiples of the sustainable rate")
    parser.add_argument("--shoppers", type=int, default=1_500, help="accounts; each buys one thing at a time")
    parser.add_argument("--workers", type=int, default=1, help="server processes")
    parser.add_argument("--save", action="store_true", help="keep the figures under benchmarks/results")
    options = parser.parse_args()
    settings = Settings(runs=1, seconds=options.seconds, shoppers=options.shoppers, workers=options.workers)
    with tempfile.TemporaryDirectory(prefix="kapda-overload-") as folder:
        found = overload(settings, Path(folder), times=options.times)
    reached = _report(found)
    return 0 if (not options.save or keep(found, found.taken_at, "overload")) and reached else 1


def _report(found: Overload) -> bool:
    """Print it; whether every bar is reached."""
    print_figures(
        {"sustainable": found.sustainable, f"{found.times:g} times as many": found.flood, "health": found.health}
    )
    print(f"load of the machine before: {found.shared_machine_load}")
    print(f"the generators' own lateness, in every latency: p99 {found.flood.late_p99:.0f} ms")
    return print_bars(list(bars_of(found)))


if __name__ == "__main__":
    sys.exit(main())
