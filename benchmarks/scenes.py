"""What the bench plays: every scenario on one server process, and some of them again on several."""

import asyncio
import traceback
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Final

from benchmarks import floors
from benchmarks.bench import Bench, Settings, prepared
from benchmarks.figures import Authentication, Figure, Memory, Result, authentication, without_cpu
from benchmarks.hashing import checks_per_second
from benchmarks.job import NOBODY, Account, Scenario
from benchmarks.meters import ReadMeter, memory_mib, peak_memory_mib
from benchmarks.shop import Shelves

SCARCE_PIECES: Final = 10
LOG_INS: Final = "log-ins"
GETS_BESIDE: Final = "GetProduct beside log-ins"
# More than there are threads for passwords, so that none of them ever waits for a caller.
_LOGGING_IN: Final = 8
# Who looks at a product meanwhile: enough calls for a p99, too few to be a load.
_GETS_A_SECOND: Final = 50.0
# So much of the time of the log-ins: it ends before they do.
_GETS_SHARE: Final = 0.75
# Few enough for no line, many enough to outweigh what the server does by itself.
_AUTHENTICATED_A_SECOND: Final = 300.0


def measure_all(settings: Settings, folder: Path, tell: Callable[[str], None]) -> Result:
    """Measure everything, each on a fresh stack.

    What fails after minutes of measuring is told in the result, beside what was measured before; only when that is
    nothing, it is raised.
    """
    with prepared(settings, folder / "first", tell) as (bench, result), _noting_failures(result, tell):
        _first(bench, result)
        _end(bench, result)
        _floors(bench, result)
    if settings.several:
        with (
            _noting_failures(result, tell),
            prepared(replace(settings, workers=settings.several), folder / "several", tell) as (bench, _),
        ):
            _several(bench, result)
            _end(bench, result)
    return result


@contextmanager
def _noting_failures(result: Result, tell: Callable[[str], None]) -> Iterator[None]:
    try:
        yield
    except Exception as error:
        if not result.runs:
            raise
        tell(traceback.format_exc())
        result.failures.append(f"{type(error).__name__}: {str(error).partition(chr(10))[0]}")


def _first(bench: Bench, result: Result) -> None:
    shelves = bench.in_shop(bench.open_shop)
    for number in range(bench.settings.runs):
        bench.tell(f"run {number + 1} of {bench.settings.runs}")
        # New accounts for each run: tokens last fifteen minutes.
        accounts = bench.in_shop(lambda shop: shop.sign_up(bench.settings.shoppers))
        result.runs.append(_one_run(bench, accounts, shelves, shelves.scarce[number]))
        result.authentication.append(_authentication(bench, accounts))


def _several(bench: Bench, result: Result) -> None:
    shelves = bench.in_shop(bench.open_shop)
    for number in range(bench.settings.runs):
        bench.tell(f"run {number + 1} of {bench.settings.runs}, {bench.settings.workers} server processes")
        accounts = bench.in_shop(lambda shop: shop.sign_up(bench.settings.shoppers))
        found = {
            "purchase": bench.measure(Scenario.PURCHASE, accounts, shelves.many),
            "list": bench.measure(Scenario.LIST, accounts[: bench.settings.browsers], ()),
        }
        result.password_checks.append(round(checks_per_second(bench.settings.seconds / 2), 1))
        result.several.append(found | _log_ins(bench, accounts, shelves))


def _one_run(bench: Bench, accounts: list[Account], shelves: Shelves, scarce: str) -> dict[str, Figure]:
    browsers = accounts[: bench.settings.browsers]
    bench.in_shop(lambda shop: shop.leave_pieces(scarce, SCARCE_PIECES))
    found = {
        "purchase": bench.measure(Scenario.PURCHASE, accounts, shelves.many),
        "purchase of one hot variant": bench.measure(Scenario.PURCHASE, accounts, (shelves.hot,)),
        "sale": bench.measure(Scenario.PURCHASE, accounts, (scarce,), once=True),
    }
    bench.in_shop(lambda shop: shop.empty_carts(accounts))
    return found | {
        "add to cart": bench.measure(Scenario.ADD, accounts, shelves.many),
        "list": bench.measure(Scenario.LIST, browsers, ()),
        "search": bench.measure(Scenario.SEARCH, browsers, ()),
        "echo": bench.measure(Scenario.ECHO, browsers, ()),
    }


def _log_ins(bench: Bench, accounts: list[Account], shelves: Shelves) -> dict[str, Figure]:
    """As many as there is room for, while others look at products at a moderate rate."""
    with ThreadPoolExecutor(1) as beside:
        looking = beside.submit(
            bench.measure,
            Scenario.GET,
            [NOBODY] * bench.settings.browsers,
            shelves.products,
            rate=_GETS_A_SECOND,
            seconds=_GETS_SHARE * bench.settings.seconds,
            generators=1,
            catch_up=False,
        )
        logging_in = bench.measure(Scenario.LOG_IN, accounts[:_LOGGING_IN], (), generators=1)
        return {LOG_INS: logging_in, GETS_BESIDE: without_cpu(looking.result())}


def _authentication(bench: Bench, accounts: list[Account]) -> Authentication:
    """By turns with the run before and the next: both calls meet the same server in the same minute."""
    browsers, meters = accounts[: bench.settings.browsers], [ReadMeter(bench.stack.valkey.url()) for _ in range(2)]
    pace = partial(bench.measure, rate=_AUTHENTICATED_A_SECOND, generators=1, catch_up=False)
    open_ = pace(Scenario.OPEN, [NOBODY] * len(browsers), (), also=meters[0])
    signed_in = pace(Scenario.SIGNED_IN, browsers, (), also=meters[1])
    return authentication(open_, signed_in, (meters[0].reads(), meters[1].reads()))


def _end(bench: Bench, result: Result) -> None:
    """Look at the memory, ask the auditor, and see that nothing has fallen over."""
    pids, before = bench.stack.pids(), result.memory
    peak = round(peak_memory_mib(pids["server"]), 1)
    if before is None:
        result.memory = Memory({name: round(memory_mib(pid), 1) for name, pid in pids.items()}, peak)
    else:
        result.memory = Memory(before.in_the_end, max(peak, before.server_peak))
    result.broken_promises += bench.in_shop(lambda shop: shop.broken_promises())
    bench.stack.supervisor.check()


def _floors(bench: Bench, result: Result) -> None:
    # Its orders would wake the worker, which is no part of the floor.
    if "worker" in bench.stack.pids():
        bench.stack.supervisor.stop("worker")
    cast = asyncio.run(floors.cast(bench.stack.database_url))
    for _ in range(bench.settings.runs):
        result.purchases_by_pgbench.append(floors.purchases_per_second(bench.stack, cast, bench.settings.seconds))
    bench.tell(f"  pgbench: {max(result.purchases_by_pgbench):,.0f} purchases/s")
