"""What is asked for in an overload; and a very short one. How well it goes on a busy machine is nobody's business here."""

from pathlib import Path

import msgspec
import pytest

from benchmarks.bench import Settings
from benchmarks.figures import Figure, Latency
from benchmarks.overload import Overload, bars_of, overload

OVERLOADED = "StartCheckout UNAVAILABLE OVERLOADED"


def measured(p99s: dict[str, float], refusals: dict[str, int] | None = None) -> Figure:
    latencies = {name: Latency(100, p99 / 2, p99, 2 * p99) for name, p99 in p99s.items()}
    return Figure(100.0, 100, latencies, refusals or {}, {"server": 1.0})


GOOD = Overload(
    "2026-11-25T12:00:00+00:00",
    {"cores": 2},
    0.1,
    {},
    4.0,
    measured({"StartCheckout": 200}),
    measured({"StartCheckout": 999, "StartCheckout refused": 50}, {OVERLOADED: 300}),
    measured({"Check": 20}),
    150.0,
    160.0,
    170.0,
    180.0,
    1.5,
    [],
)


def but(**changed: object) -> Overload:
    return msgspec.structs.replace(GOOD, **changed)


def test_an_overload_that_goes_as_promised_misses_nothing() -> None:
    assert all(bar.reached for bar in bars_of(GOOD))


@pytest.mark.parametrize(
    ("found", "wanted"),
    [
        (but(flood=measured({"StartCheckout": 1_000})), "below 1,000 p99 of calls let in"),
        (but(flood=measured({"A": 10, "A refused": 1_000}, {OVERLOADED: 1})), "below 1,000 p99 of those turned away"),
        (but(flood=measured({"A": 10}, {"PlaceOrder INTERNAL": 1})), "those are told when"),
        (but(flood=measured({"A": 10}, {f"{OVERLOADED} without RetryInfo": 1})), "those are told when"),
        (but(health=measured({"Check": 20}, {"Check UNAVAILABLE": 1})), "health answers"),
        (but(server_mib_after=166.0), "the server's memory"),
        (but(server_peak_after=188.0), "the server's memory"),
        (but(flood=msgspec.structs.replace(GOOD.flood, unsent=1)), "whoever was due came"),
        (but(recovered_after=None), "recovers within"),
        (but(recovered_after=11.0), "recovers within"),
        (but(broken_promises=["1"]), "promises kept"),
    ],
)
def test_each_promise_is_missed_by_the_least_that_falls_short(found: Overload, wanted: str) -> None:
    (bar,) = (bar for bar in bars_of(found) if not bar.reached)
    assert bar.wanted.startswith(wanted)


@pytest.mark.torture
def test_a_short_overload_breaks_no_promise_and_refuses_nobody_without_a_time_to_come_back(tmp_path: Path) -> None:
    found = overload(Settings(runs=1, seconds=2.0, warm_up=0.5, shoppers=40, generators=1), tmp_path, times=4.0)
    assert found.broken_promises == []
    assert found.health.refusals == {}
    assert next(bar for bar in bars_of(found) if bar.wanted == "those are told when to come back").reached
