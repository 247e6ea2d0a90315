"""What is made of what was measured: medians, sums, shares and bars."""

import pytest

from benchmarks.bars import Bar, bars_of
from benchmarks.figures import (
    Authentication,
    Figure,
    Latency,
    Memory,
    Result,
    authentication,
    figure,
    medians_of,
    without_cpu,
)
from benchmarks.hashing import checks_per_second
from benchmarks.job import Tally, merged
from benchmarks.report import report
from benchmarks.scenes import GETS_BESIDE, LOG_INS

SOLD_OUT = "StartCheckout FAILED_PRECONDITION INSUFFICIENT_STOCK"


def measured(
    per_second: float, p99: float = 10.0, refusals: dict[str, int] | None = None, *, rounds: int = 100, cpu: float = 1.0
) -> Figure:
    """Of one method."""
    latencies = {"Call": Latency(rounds, p99 / 2, p99, 2 * p99)}
    return Figure(per_second, rounds, latencies, refusals or {}, {"server": cpu, "generators": 0.1})


def good(**others: Figure) -> dict[str, Figure]:
    """A run that reaches every bar, but for what is said otherwise."""
    found = {
        "purchase": measured(200),
        "hot": measured(120),
        "sale": measured(40, refusals={SOLD_OUT: 90}, rounds=10),
        "adds": measured(600),
        "list": measured(1_000),
        "search": measured(500),
        "echo": measured(3_000),
    } | others
    return {
        {"hot": "purchase of one hot variant", "adds": "add to cart"}.get(name, name): found[name] for name in found
    }


def result(*runs: dict[str, Figure], log_ins: float = 80.0, gets: float = 49.0, overhead: float = 149.0) -> Result:
    """A whole bench of those runs."""
    several = {
        "purchase": measured(200),
        "list": measured(1_000),
        LOG_INS: measured(log_ins),
        GETS_BESIDE: measured(50, gets),
    }
    return Result(
        "2026-11-25T12:00:00+00:00",
        {"cores": 2},
        0.1,
        {"shoppers": 100, "several": 2},
        list(runs),
        [several] * len(runs),
        [Authentication(500.0, 500.0 + overhead, 1.0)] * len(runs),
        [100.0] * len(runs),
        [1_000.0] * len(runs),
        Memory({"server": 150.0}, 199.0),
    )


def missed(of: Result) -> list[Bar]:
    return [bar for bar in bars_of(of) if not bar.reached]


def test_a_run_as_it_is_asked_for_misses_no_bar() -> None:
    assert missed(result(good(), good(), good())) == []


@pytest.mark.parametrize(
    ("of", "wanted"),
    [
        (result(good(purchase=measured(199), hot=measured(120))), "at least 200 purchases/s"),
        (result(good(purchase=measured(200, 300))), "below 300 p99"),
        (
            result(good(hot=measured(120, refusals={"PlaceOrder UNAVAILABLE OVERLOADED": 1}))),
            "no error in any purchase",
        ),
        (result(good(hot=measured(119))), "at least 60 one hot variant"),
        (result(good(sale=measured(40, refusals={SOLD_OUT: 89}, rounds=11))), "exactly 10 orders"),
        (result(good(sale=measured(40, refusals={"StartCheckout UNKNOWN": 90}, rounds=10))), "exactly 10 orders"),
        (result(good(sale=measured(40, 500, {SOLD_OUT: 90}, rounds=10))), "below 500 p99"),
        (result(good(list=measured(999))), "at least 1,000 lists"),
        (result(good(adds=measured(599))), "at least 600 adds"),
        (result(good(), log_ins=79.0), "log-ins: at least 80 %"),
        (result(good(), gets=50.0), "below 50 p99 of GetProduct"),
        (result(good(), overhead=150.0), "below 150 us"),
    ],
)
def test_each_bar_is_missed_by_the_least_that_falls_short(of: Result, wanted: str) -> None:
    (bar,) = missed(of)
    assert bar.wanted.startswith(wanted)


def test_what_could_not_be_measured_is_a_bar_missed_beside_what_was() -> None:
    cut_short = result(good())
    cut_short.several, cut_short.authentication, cut_short.memory = [], [], Memory({}, 100.0)
    cut_short.failures.append("FloorError: pgbench")
    assert [bar.measured for bar in missed(cut_short)] == ["FloorError: pgbench"]


def test_medians_are_of_three_but_one_error_in_one_run_is_one_error() -> None:
    median = medians_of(
        [
            {"list": measured(100, 5)},
            {"list": measured(900, 50, {"ListProducts UNAVAILABLE OVERLOADED": 1})},
            {"list": measured(300, 7)},
        ]
    )["list"]
    assert (median.per_second, median.latencies["Call"].p99) == (300, 7)
    assert median.refusals == {"ListProducts UNAVAILABLE OVERLOADED": 1}


def test_a_figure_is_by_the_second_and_by_the_round() -> None:
    latencies = {"Check": [float(number) for number in range(1, 101)]}
    found = figure(Tally(4.0, 100, latencies, {}, 0.5), {"server": 2.0}, 0.0)
    assert found.per_second == 25
    assert found.cpu_ms == {"server": 20.0, "generators": 5.0}
    assert found.latencies["Check"] == Latency(100, 51.0, 100.0, 100.0)
    assert found.late_p99 == 0.0


def test_what_the_generators_were_late_themselves_is_told_of_all_of_them_together() -> None:
    tallies = [
        Tally(4.0, 1, {}, {}, 0.5, lateness=[float(number) for number in range(start, 101, 2)]) for start in (1, 2)
    ]
    assert figure(merged(tallies), {"server": 2.0}, 0.0).late_p99 == 100.0


def test_knowing_who_calls_costs_what_the_same_call_costs_more() -> None:
    found = authentication(measured(300, rounds=1_000, cpu=0.5), measured(300, rounds=1_000, cpu=0.62), (40, 1_010))
    assert found.overhead_us == pytest.approx(120)
    assert found.redis_trips == 0.97


def test_the_library_checks_passwords_on_every_core() -> None:
    assert checks_per_second(0.05, threads=2) > 0


def test_what_is_measured_beside_a_load_has_no_cpu_of_its_own_and_is_reported_all_the_same(
    capsys: pytest.CaptureFixture[str],
) -> None:
    found = result(good())
    found.several = [{**run, GETS_BESIDE: without_cpu(run[GETS_BESIDE])} for run in found.several]
    assert report(found)
    assert GETS_BESIDE in capsys.readouterr().out
