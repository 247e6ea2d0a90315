"""What is asked for, and whether it was reached."""

import statistics
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from benchmarks.figures import Figure, Result, medians_of
from benchmarks.scenes import GETS_BESIDE, LOG_INS, SCARCE_PIECES

_ONE_TRIP = 1.05


@dataclass(frozen=True, slots=True)
class Bar:
    """What is asked for on a quiet machine of two cores with everything on it, and whether it was reached."""

    wanted: str
    measured: str
    reached: bool


def bars_of(result: Result) -> Iterator[Bar]:
    """Each bar with what was measured."""
    medians, several = result.medians(), medians_of(result.several)
    buying, hot, sale = medians["purchase"], medians["purchase of one hot variant"], medians["sale"]
    yield _at_least("purchases/s, 100 shoppers", 200, buying.per_second)
    yield _p99("p99 of each of its calls, ms", 300, buying)
    bought = [buying, hot, *(figure for name, figure in several.items() if name == "purchase")]
    yield Bar(
        "no error in any purchase",
        ", ".join(filter(None, map(_errors, bought))) or "none",
        not any(figure.refusals for figure in bought),
    )
    share = 100 * hot.per_second / max(buying.per_second, 0.1)
    yield _at_least("one hot variant, % of that", 60, share)
    orders = [run["sale"].rounds for run in result.runs]
    refused = [sum(run["sale"].refusals.values()) for run in result.runs]
    wanted = int(str(result.settings["shoppers"])) - SCARCE_PIECES
    yield Bar(
        f"exactly {SCARCE_PIECES} orders and {wanted} typed refusals",
        f"{orders} and {refused}: {', '.join(sale.refusals)}",
        all(count == SCARCE_PIECES for count in orders)
        and all(count == wanted for count in refused)
        and all(name.count(" ") == 2 for name in sale.refusals),
    )
    yield _p99("p99 of each call in the sale, ms", 500, sale)
    yield _at_least("lists of 20 a second, 32 clients", 1_000, medians["list"].per_second)
    yield _at_least("adds to cart a second", 600, medians["add to cart"].per_second)
    if several:
        yield from _bars_of_log_ins(result, several)
    if result.authentication:
        yield from _bars_of_authentication(result)
    peak = result.memory.server_peak if result.memory else float("inf")
    yield Bar("server's peak of memory below 200 MiB", f"{peak:.0f}", peak < 200)
    yield Bar("everything measured", "; ".join(result.failures) or "yes", not result.failures)
    yield Bar("promises kept", ", ".join(result.broken_promises) or "all", not result.broken_promises)


def _bars_of_log_ins(result: Result, several: Mapping[str, Figure]) -> Iterator[Bar]:
    log_ins, gets, checks = several[LOG_INS], several[GETS_BESIDE], statistics.median(result.password_checks)
    share = 100 * log_ins.per_second / max(checks, 0.1)
    yield Bar(
        "log-ins: at least 80 % of what the library checks on all cores",
        f"{share:.0f} %: {log_ins.per_second:,.0f} of {checks:,.0f} a second",
        share >= 80,
    )
    errors = ", ".join(filter(None, map(_errors, (log_ins, gets)))) or "none"
    yield Bar("no error in any log-in or beside it", errors, errors == "none")
    yield _p99("p99 of GetProduct beside log-ins, ms", 50, gets)


def _bars_of_authentication(result: Result) -> Iterator[Bar]:
    overhead = statistics.median(one.overhead_us for one in result.authentication)
    trips = statistics.median(one.redis_trips for one in result.authentication)
    yield Bar("below 150 us of server CPU to know who calls", f"{overhead:.0f}", overhead < 150)
    # Whoever came in the middle of a measuring is counted on one side of it only.
    yield Bar("at most one round trip to Redis for that", f"{trips:.2f}", trips < _ONE_TRIP)


def _at_least(name: str, wanted: float, measured: float) -> Bar:
    return Bar(f"at least {wanted:,} {name}", f"{measured:,.0f}", measured >= wanted)


def _p99(name: str, wanted: float, figure: Figure) -> Bar:
    worst = {method: latency.p99 for method, latency in figure.latencies.items()}
    told = ", ".join(f"{method} {p99:.0f}" for method, p99 in worst.items())
    return Bar(f"below {wanted} {name}", told, bool(worst) and max(worst.values()) < wanted)


def _errors(figure: Figure) -> str:
    return ", ".join(f"{name}: {count}" for name, count in figure.refusals.items())
