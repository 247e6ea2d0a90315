"""Prints a result against the bars, for people."""

import statistics
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from rich.console import Console
from rich.table import Table

from benchmarks.bench import SCARCE_PIECES
from benchmarks.figures import Figure, Result

_WIDTH = 132


@dataclass(frozen=True, slots=True)
class Bar:
    """What is asked for on a quiet machine of two cores with everything on it, and whether it was reached."""

    wanted: str
    measured: str
    reached: bool


def report(result: Result) -> bool:
    """Print everything; whether every bar is reached."""
    console = Console(width=_WIDTH, highlight=False)
    medians, bars = result.medians(), list(bars_of(result))
    console.print(_figures(medians))
    console.print(_floors(result, medians))
    console.print(_costs(medians))
    console.print(_bars(bars))
    if result.memory is not None:
        console.print("memory, MiB: " + ", ".join(f"{name} {mib}" for name, mib in result.memory.in_the_end.items()))
    console.print(f"machine: {', '.join(f'{name} {value}' for name, value in result.machine.items())}")
    console.print(
        f"load before: {result.shared_machine_load}. Server, database, worker and load generators share the cores; the"
        " generators are Python's grpc.aio and take about half of what a compiled client would leave to the server."
    )
    return all(bar.reached for bar in bars)


def bars_of(result: Result) -> Iterator[Bar]:
    """Each bar with what was measured."""
    medians = result.medians()
    buying, hot, sale = medians["purchase"], medians["purchase of one hot variant"], medians["sale"]
    yield _at_least("purchases/s, 100 shoppers", 200, buying.per_second)
    yield _p99("p99 of each of its calls, ms", 300, buying)
    yield Bar(
        "no error in any purchase",
        str(_errors(buying) + _errors(hot)),
        not buying.refusals and not hot.refusals,
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
    peak = result.memory.server_peak if result.memory else float("inf")
    yield Bar("server's peak of memory below 200 MiB", f"{peak:.0f}", peak < 200)
    yield Bar("promises kept", ", ".join(result.broken_promises) or "all", not result.broken_promises)


def _at_least(name: str, wanted: float, measured: float) -> Bar:
    return Bar(f"at least {wanted:,} {name}", f"{measured:,.0f}", measured >= wanted)


def _p99(name: str, wanted: float, figure: Figure) -> Bar:
    worst = {method: latency.p99 for method, latency in figure.latencies.items()}
    told = ", ".join(f"{method} {p99:.0f}" for method, p99 in worst.items())
    return Bar(f"below {wanted} {name}", told, bool(worst) and max(worst.values()) < wanted)


def _errors(figure: Figure) -> str:
    return ", ".join(f"{name}: {count}" for name, count in figure.refusals.items())


def _figures(medians: Mapping[str, Figure]) -> Table:
    table = _table("", "rounds/s", "call", "calls", "p50 ms", "p99 ms", "longest")
    for name, figure in medians.items():
        first = True
        for method, latency in figure.latencies.items():
            rate = f"{figure.per_second:,.0f}" if first else ""
            numbers = (str(latency.calls), f"{latency.p50:.1f}", f"{latency.p99:.1f}", f"{latency.longest:.0f}")
            table.add_row(name if first else "", rate, method, *numbers)
            first = False
    return table


def _floors(result: Result, medians: Mapping[str, Figure]) -> Table:
    table = _table("floor", "a second", "kapda", "ratio")
    echo, buying = medians["echo"].per_second, medians["purchase"].per_second
    if result.purchases_by_pgbench:
        rows = statistics.median(result.purchases_by_pgbench)
        table.add_row("a purchase's rows by pgbench", f"{rows:,.0f}", f"{buying:,.0f}", f"{buying / rows:.2f}")
    table.add_row("an echo (health)", f"{echo:,.0f}", f"{3 * buying:,.0f} calls", f"{3 * buying / echo:.2f}")
    listing = medians["list"].per_second
    table.add_row("", "", f"{listing:,.0f} lists", f"{listing / echo:.2f}")
    return table


def _costs(medians: Mapping[str, Figure]) -> Table:
    names = list(medians["purchase"].cpu_ms)
    table = _table("CPU ms for one round", *names, "caught up after s")
    for scenario, figure in medians.items():
        table.add_row(scenario, *(f"{figure.cpu_ms[name]:.2f}" for name in names), f"{figure.caught_up:.1f}")
    return table


def _bars(bars: list[Bar]) -> Table:
    table = _table("bar", "measured", "")
    for bar in bars:
        table.add_row(bar.wanted, bar.measured, "reached" if bar.reached else "[bold red]MISSED[/]")
    return table


def _table(*columns: str) -> Table:
    table = Table(header_style="bold")
    for number, column in enumerate(columns):
        table.add_column(column, justify="left" if number == 0 else "right", overflow="fold")
    return table
