"""What was measured, ready to be compared, printed and kept."""

import statistics
from collections import Counter
from collections.abc import Iterable, Sequence

import msgspec

from benchmarks.job import Tally


class Latency(msgspec.Struct, frozen=True):
    """Of one method, in milliseconds."""

    calls: int
    p50: float
    p99: float
    longest: float


class Figure(msgspec.Struct, frozen=True):
    """One scenario, once. `per_second` counts whole rounds; `cpu_ms` is what each process burnt for one of them."""

    per_second: float
    rounds: int
    latencies: dict[str, Latency]
    refusals: dict[str, int]
    cpu_ms: dict[str, float]
    caught_up: float = 0.0
    """Seconds until the worker had relayed every event of it."""
    unsent: int = 0
    """Rounds of an open loop that no client was free to begin."""
    late_p99: float = 0.0
    """By how many milliseconds the generators of an open loop were late themselves."""


class Memory(msgspec.Struct, frozen=True):
    """In MiB, of each process: in the end, and the server's peak."""

    in_the_end: dict[str, float]
    server_peak: float


class Authentication(msgspec.Struct, frozen=True):
    """The server's CPU for a call that does nothing, in microseconds: for anybody, and for whoever signed in; and how often
    Redis was asked for the latter more than for the former."""

    open_us: float
    signed_in_us: float
    redis_trips: float

    @property
    def overhead_us(self) -> float:
        """What it costs to know who calls."""
        return self.signed_in_us - self.open_us


class Result(msgspec.Struct):
    """A whole bench."""

    taken_at: str
    machine: dict[str, object]
    shared_machine_load: float
    """The load average before it began: more than some tenths means that others were at work here."""
    settings: dict[str, object]
    runs: list[dict[str, Figure]] = []
    several: list[dict[str, Figure]] = []
    """The same on the second stack, with several server processes."""
    authentication: list[Authentication] = []
    password_checks: list[float] = []
    """A second, by the library alone on all cores."""
    purchases_by_pgbench: list[float] = []
    memory: Memory | None = None
    broken_promises: list[str] = []
    failures: list[str] = []
    """What could not be measured, and why."""

    def medians(self) -> dict[str, Figure]:
        """The median of every figure, by scenario."""
        return medians_of(self.runs)


def medians_of(runs: Sequence[dict[str, Figure]]) -> dict[str, Figure]:
    """The median of every figure, by scenario; nothing of no runs."""
    return {name: _median([run[name] for run in runs]) for name in runs[0]} if runs else {}


def authentication(open_: Figure, signed_in: Figure, reads: tuple[int, int]) -> Authentication:
    """From what was measured of both; `reads` are Valkey's meanwhile, in the same order."""
    trips = reads[1] / max(1, signed_in.rounds) - reads[0] / max(1, open_.rounds)
    return Authentication(
        round(1000 * open_.cpu_ms["server"], 1), round(1000 * signed_in.cpu_ms["server"], 1), round(trips, 3)
    )


def without_cpu(beside: Figure) -> Figure:
    """Of what was measured beside a greater load, whose CPU nobody can tell from its own."""
    return msgspec.structs.replace(beside, cpu_ms={})


def figure(tally: Tally, cpu_seconds: dict[str, float], caught_up: float) -> Figure:
    """What a tally says."""
    rounds = max(1, tally.rounds)
    cpu = {**cpu_seconds, "generators": tally.cpu_seconds}
    return Figure(
        per_second=round(tally.rounds / tally.seconds, 1),
        rounds=tally.rounds,
        latencies={method: _latency(values) for method, values in sorted(tally.latencies.items())},
        refusals=dict(sorted(tally.refusals.items())),
        cpu_ms={name: round(1000 * seconds / rounds, 3) for name, seconds in cpu.items()},
        caught_up=round(caught_up, 1),
        unsent=tally.unsent,
        late_p99=_latency(tally.lateness).p99 if tally.lateness else 0.0,
    )


def _latency(values: list[float]) -> Latency:
    ordered = sorted(values)

    def quantile(share: float) -> float:
        return round(ordered[min(len(ordered) - 1, int(share * len(ordered)))], 1)

    return Latency(len(ordered), quantile(0.5), quantile(0.99), round(ordered[-1], 1))


def _median(figures: Sequence[Figure]) -> Figure:
    # A method that no call of a run ended in has no figure there.
    methods = sorted(set.intersection(*(set(one.latencies) for one in figures)))
    refusals = Counter[str]()
    for one in figures:
        refusals.update(one.refusals)
    return Figure(
        per_second=_middle(one.per_second for one in figures),
        rounds=round(_middle(one.rounds for one in figures)),
        latencies={method: _median_latency([one.latencies[method] for one in figures]) for method in methods},
        # All of them: one error in one run is one error.
        refusals=dict(refusals),
        cpu_ms={name: _middle(one.cpu_ms[name] for one in figures) for name in figures[0].cpu_ms},
        caught_up=_middle(one.caught_up for one in figures),
        unsent=sum(one.unsent for one in figures),
        late_p99=_middle(one.late_p99 for one in figures),
    )


def _median_latency(latencies: Sequence[Latency]) -> Latency:
    return Latency(
        round(_middle(one.calls for one in latencies)),
        _middle(one.p50 for one in latencies),
        _middle(one.p99 for one in latencies),
        _middle(one.longest for one in latencies),
    )


def _middle(values: Iterable[float]) -> float:
    return round(statistics.median(values), 3)
