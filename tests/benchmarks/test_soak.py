"""The soak's arithmetic, and a very short one. How flat it is in so short a time is nobody's business here."""

from pathlib import Path

import pytest

from benchmarks.bench import Settings
from benchmarks.soak import soak
from benchmarks.trends import Sample, trends_of


def looks(name: str, *values: float) -> list[Sample]:
    """At the value, once every ten seconds."""
    return [Sample(10.0 * number, {name: value}) for number, value in enumerate(values)]


def test_what_grows_in_the_warm_up_alone_is_flat() -> None:
    trend = trends_of(looks("server MiB", 80, 110, 130, *[140.0] * 7))["server MiB"]
    assert (trend.median, trend.a_minute) == (140.0, 0.0)
    assert trend.flat


def test_a_leak_is_told_by_the_minute() -> None:
    trend = trends_of(looks("server MiB", *(140 + number for number in range(20))))["server MiB"]
    assert trend.a_minute == pytest.approx(6.0)
    assert not trend.flat


def test_what_is_swept_once_a_minute_is_flat_though_it_grows_in_between() -> None:
    assert trends_of(looks("stock dead rows", *[0.0, 500.0, 1_000.0, 1_500.0, 2_000.0, 2_500.0] * 10))[
        "stock dead rows"
    ].flat


def test_what_shrinks_is_welcome() -> None:
    assert trends_of(looks("jobs", *range(100, 0, -1)))["jobs"].flat


def test_what_comes_to_be_seen_later_or_goes_has_no_trend() -> None:
    samples = looks("jobs", *[1.0] * 10)
    samples[-1].values["orders bytes a row"] = 700.0
    assert set(trends_of(samples)) == {"jobs"}
    del samples[-2].values["jobs"]
    assert trends_of(samples) == {}


def test_a_row_that_takes_more_and_more_room_is_told() -> None:
    assert not trends_of(looks("orders bytes a row", *(700.0 + 3 * number for number in range(20))))[
        "orders bytes a row"
    ].flat


def test_nothing_looked_at_is_no_trend() -> None:
    with pytest.raises(ValueError, match="nobody"):
        trends_of([])


@pytest.mark.torture
def test_a_short_soak_looks_at_every_process_and_every_queue(tmp_path: Path) -> None:
    settings = Settings(runs=1, seconds=2.0, warm_up=0.5, shoppers=12, generators=1)
    found = soak(settings, tmp_path, rate=4.0, every=0.5)
    assert {"server MiB", "worker MiB", "postgresql MiB", "valkey MiB", "connections", "jobs", "unsent events"} < set(
        found.trends
    )
    assert all(found.trends[f"{name} MiB"].median > 1 for name in ("server", "worker", "postgresql", "valkey"))
    assert found.figure.refusals == {}
    assert found.broken_promises == []
