"""A limit that finds the machine's own: on a clock of its own, with a machine that serves so many a second in turn."""

from contextlib import ExitStack
from dataclasses import dataclass, field

import pytest

from kapda.api.catalog.v1 import catalog_service_pb2
from kapda.api.inventory.v1 import inventory_service_pb2
from kapda.domain.shared.errors import Reason, UnavailableError
from kapda.entrypoints.grpc.admission import FEWEST, FIRST, TARGET_SECONDS, AdaptiveLimit, Lane
from kapda.entrypoints.grpc.lanes import Lanes

TICK, LOOK = 0.01, 0.1


@dataclass
class Machine:
    """Serves `per_second` calls in the order of coming, of a crowd that does not wait for it."""

    per_second: float
    lane: Lane = field(default_factory=lambda: Lane("test", 400))
    now: float = 0.0
    served: float = 0.0
    refused: int = 0
    longest_wait: float = 0.0
    _at_work: list[ExitStack] = field(default_factory=list)
    _owed: float = 0.0
    _due: float = 0.0
    _next_look: float = LOOK

    @property
    def wait(self) -> float:
        """What somebody who comes now will wait."""
        return len(self._at_work) / self.per_second

    def crowd(self, arrivals_per_second: float, seconds: float) -> "Machine":
        """Time passes, with so many coming."""
        self.refused, self.served, self.longest_wait = 0, 0.0, 0.0
        for _ in range(round(seconds / TICK)):
            self.now += TICK
            self._due += arrivals_per_second * TICK
            while self._due >= 1:
                self._due -= 1
                self._arrive()
            self._owed = min(self._owed + self.per_second * TICK, len(self._at_work))
            while self._owed >= 1:
                self._owed -= 1
                self.served += 1
                self._at_work.pop(0).close()
            if self.now >= self._next_look:
                # Whoever stands in line tells of it after that long at the latest.
                self.lane.waited(min(self.wait, TARGET_SECONDS + LOOK))
                self._next_look = self.now + LOOK + min(self.wait, TARGET_SECONDS)
        return self

    def _arrive(self) -> None:
        place = ExitStack()
        try:
            place.enter_context(self.lane.place())
        except UnavailableError:
            self.refused += 1
            return
        self._at_work.append(place)
        self.longest_wait = max(self.longest_wait, self.wait)


@pytest.mark.parametrize("per_second", [60, 250, 800])
def test_at_four_times_the_rate_the_line_stays_short_and_the_machine_busy(per_second: int) -> None:
    machine = Machine(per_second)
    # The first burst was let in.
    machine.crowd(4 * per_second, 4)

    machine.crowd(4 * per_second, 10)

    assert machine.longest_wait < 1.5 * TARGET_SECONDS
    assert machine.served >= 0.97 * 10 * per_second
    assert machine.refused == pytest.approx(0.75 * 4 * per_second * 10, rel=0.05)


def test_nobody_is_refused_below_the_sustainable_rate() -> None:
    machine = Machine(200).crowd(180, 30)
    assert machine.refused == 0
    assert machine.lane.limit >= FIRST


def test_a_burst_is_let_in_and_served_in_turn() -> None:
    machine = Machine(400)
    machine.crowd(15_000, TICK)
    assert machine.refused == 0
    assert machine.crowd(0, 1).served == pytest.approx(150, abs=5)


def test_after_a_flood_everybody_is_let_in_within_three_seconds() -> None:
    machine = Machine(200).crowd(800, 10)
    machine.crowd(150, 3)

    machine.crowd(150, 5)

    assert machine.refused == 0
    assert machine.crowd(0, 3).lane.limit == FIRST


def test_a_machine_that_becomes_slower_is_followed() -> None:
    machine = Machine(400).crowd(1_600, 10)
    machine.per_second = 50
    machine.crowd(1_600, 5)
    assert machine.crowd(1_600, 5).longest_wait < 1.5 * TARGET_SECONDS


def test_calls_that_wait_for_somebody_else_are_let_in_as_far_as_memory_allows() -> None:
    lane = Lane("test", 400)
    with ExitStack() as waiting:
        for _ in range(100):
            for _ in range(50):
                if lane.limit > lane._at_work:
                    waiting.enter_context(lane.place())
            lane.waited(0.0)
        assert lane.limit == 400


def test_one_bad_moment_takes_half_at_most_and_the_fewest_always_stay() -> None:
    limit = AdaptiveLimit(400)
    limit.waited(30.0, busiest=0)
    assert limit.value == FIRST // 2
    for _ in range(20):
        limit.waited(30.0, busiest=0)
    assert limit.value == FEWEST


def test_a_limit_that_is_not_used_does_not_grow_beyond_the_first() -> None:
    limit = AdaptiveLimit(400)
    for _ in range(50):
        limit.waited(0.0, busiest=3)
    assert limit.value == FIRST


def test_a_small_limit_stays_what_it_is() -> None:
    limit = AdaptiveLimit(2)
    limit.waited(30.0, busiest=2)
    limit.waited(0.0, busiest=2)
    assert limit.value == 2


def test_whoever_finds_the_lane_full_is_told_when_to_come_back() -> None:
    lane = Lane("test", 2)
    with lane.place(), lane.place(), pytest.raises(UnavailableError) as refused, lane.place():
        pass
    assert refused.value.reason is Reason.OVERLOADED
    assert refused.value.retry_after == 1.0
    with lane.place():
        pass


def test_new_promises_leave_places_to_the_keeping_of_old_ones() -> None:
    lanes = Lanes(8)
    start, start_share = lanes.of("/kapda.api.checkout.v1.CheckoutService/StartCheckout")
    place, place_share = lanes.of("/kapda.api.orders.v1.OrderService/PlaceOrder")
    assert start is place is lanes.buying
    with ExitStack() as at_work:
        for _ in range(6):
            at_work.enter_context(start.place(start_share))
        with pytest.raises(UnavailableError), start.place(start_share):
            pass
        at_work.enter_context(place.place(place_share))


def test_every_service_has_its_lane() -> None:
    lanes = Lanes(8)
    catalog = catalog_service_pb2.DESCRIPTOR.services_by_name["CatalogService"]
    stock = inventory_service_pb2.DESCRIPTOR.services_by_name["InventoryService"]
    assert {lanes.of(f"/{catalog.full_name}/{method.name}")[0] for method in catalog.methods} == {lanes.browsing}
    reads = {"GetStock", "ListStockMovements", "ExplainAvailability"}
    for method in stock.methods:
        lane, _ = lanes.of(f"/{stock.full_name}/{method.name}")
        assert lane is (lanes.general if method.name in reads else lanes.buying), method.name
    assert lanes.of("/kapda.api.cart.v1.CartService/AddItem") == (lanes.general, 1.0)
