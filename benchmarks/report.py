"""Prints a result against the bars, for people."""

import statistics
from collections.abc import Mapping, Sequence

from rich.console import Console
from rich.table import Table

from benchmarks.bars import Bar, bars_of
from benchmarks.figures import Figure, Result, medians_of
from benchmarks.scenes import LOG_INS

_WIDTH = 132


def print_figures(figures: Mapping[str, Figure]) -> None:
    """Rates and latencies, and what they cost."""
    console = _console()
    console.print(_figures(figures))
    console.print(_costs(figures))


def print_bars(bars: Sequence[Bar]) -> bool:
    """Each bar; whether all are reached."""
    _console().print(_bars(bars))
    return all(bar.reached for bar in bars)


def report(result: Result) -> bool:
    """Print everything; whether every bar is reached."""
    console = _console()
    medians = result.medians()
    several = {f"{name}, {result.settings['several']} servers": one for name, one in medians_of(result.several).items()}
    print_figures(medians | several)
    console.print(_floors(result, medians, several))
    reached = print_bars(list(bars_of(result)))
    if result.memory is not None:
        console.print("memory, MiB: " + ", ".join(f"{name} {mib}" for name, mib in result.memory.in_the_end.items()))
    console.print(f"machine: {', '.join(f'{name} {value}' for name, value in result.machine.items())}")
    console.print(
        f"load before: {result.shared_machine_load}. Server, database, worker and load generators share the cores; the"
        " generators are Python's grpc.aio and take about half of what a compiled client would leave to the server."
    )
    return reached


def _console() -> Console:
    return Console(width=_WIDTH, highlight=False)


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


def _floors(result: Result, medians: Mapping[str, Figure], several: Mapping[str, Figure]) -> Table:
    """What the machine does without kapda, and how much of that kapda does."""
    table = _table("floor", "a second", "kapda", "ratio")

    def row(name: str, floor: float, unit: str, measured: float) -> None:
        table.add_row(name, f"{floor:,.0f}", f"{measured:,.0f} {unit}", f"{measured / max(floor, 0.1):.2f}")

    echo, buying = medians["echo"].per_second, medians["purchase"].per_second
    if result.purchases_by_pgbench:
        rows = statistics.median(result.purchases_by_pgbench)
        row("a purchase's rows by pgbench", rows, "purchases", buying)
        for name, one in several.items():
            if name.startswith("purchase"):
                row("", rows, name, one.per_second)
    row("an echo (health)", echo, "calls of purchases", 3 * buying)
    row("", echo, "lists", medians["list"].per_second)
    if result.password_checks:
        checks = statistics.median(result.password_checks)
        row(
            "passwords checked by the library on all cores",
            checks,
            LOG_INS,
            medians_of(result.several)[LOG_INS].per_second,
        )
    return table


def _costs(medians: Mapping[str, Figure]) -> Table:
    names = list(next(iter(medians.values())).cpu_ms)
    table = _table("CPU ms for one round", *names, "caught up after s")
    for scenario, figure in medians.items():
        if not figure.cpu_ms:
            continue
        table.add_row(scenario, *(f"{figure.cpu_ms[name]:.2f}" for name in names), f"{figure.caught_up:.1f}")
    return table


def _bars(bars: Sequence[Bar]) -> Table:
    table = _table("bar", "measured", "")
    for bar in bars:
        table.add_row(bar.wanted, bar.measured, "reached" if bar.reached else "[bold red]MISSED[/]")
    return table


def _table(*columns: str) -> Table:
    table = Table(header_style="bold")
    for number, column in enumerate(columns):
        table.add_column(column, justify="left" if number == 0 else "right", overflow="fold")
    return table
