"""A limit that finds the machine's own: on a clock of its own, with a machine that serves so many a second in turn."""

from contextlib import ExitStack
from dataclasses import dataclass, field

import pytest

from kapda.api.catalog.v1 import catalog_service_pb2
from kapda.api.inventory.v1 import inventory_service_pb2
from kapda.domain.shared.errors import Reason, UnavailableError
from kapda.entrypoints.grpc.admission import (
    BUSY_SECONDS,
    CROWD,
    FEWEST,
    FIRST,
    RETRY_AFTER_SECONDS,
    SHORT,
    STANDING_SECONDS,
    TARGET_SECONDS,
    AdaptiveLimit,
    AtWork,
    Lane,
    Pace,
)
from kapda.entrypoints.grpc.lanes import BUYING_SECONDS, Lanes

TICK, LOOK = 0.01, 0.1


@dataclass
class Machine:
    """Serves `per_second` calls in the order of coming, of a crowd that does not wait for it."""

    per_second: float
    now: float = 0.0
    lane: Lane = field(init=False)
    served: float = 0.0
    refused: int = 0
    longest_wait: float = 0.0
    _at_work: list[ExitStack] = field(default_factory=list)
    _owed: float = 0.0
    _due: float = 0.0
    _next_tell: float = LOOK
    _look_due: float | None = None
    _ahead: int = 0
    _come_again: list[float] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.lane = Lane("test", 400, now=lambda: self.now)

    @property
    def wait(self) -> float:
        """What somebody who comes now will wait."""
        return len(self._at_work) / self.per_second

    def crowd(self, arrivals_per_second: float, seconds: float) -> "Machine":
        """Time passes, with so many coming."""
        self._count_anew()
        for _ in range(round(seconds / TICK)):
            self._due += arrivals_per_second * TICK
            while self._due >= 1:
                self._due -= 1
                self._arrive()
            self._tick()
        return self

    def shoppers(self, count: int, seconds: float, share: float = 1.0) -> "Machine":
        """Time passes, with so many who each wait for an answer before they ask again, or for a second when refused.

        `share` is that of the places which they may fill.
        """
        self._count_anew()
        self._come_again = [self.now] * (count - len(self._at_work))
        for _ in range(round(seconds / TICK)):
            here = [at for at in self._come_again if at <= self.now]
            self._come_again = [at for at in self._come_again if at > self.now]
            for _ in here:
                if not self._arrive(share):
                    self._come_again.append(self.now + RETRY_AFTER_SECONDS)
            self._come_again += [self.now] * self._tick()
        return self

    def _count_anew(self) -> None:
        self.refused, self.served, self.longest_wait = 0, 0.0, 0.0

    def _tick(self) -> int:
        """A moment passes; how many are served in it."""
        self.now += TICK
        self._owed = min(self._owed + self.per_second * TICK, len(self._at_work))
        served = int(self._owed)
        self._owed -= served
        self.served += served
        for _ in range(served):
            self._at_work.pop(0).close()
        self._look(served)
        return served

    def _look(self, served: int) -> None:
        """Stand in line as `queue_probe.py` does: tell how long it took, and while it lasts from time to time."""
        self._ahead -= served
        if self._ahead <= 0 and self._look_due is not None:
            self.lane.waited(self.now - self._look_due)
            self._look_due, self._next_tell = None, self.now + LOOK
        elif self.now >= self._next_tell:
            if self._look_due is None:
                self._look_due, self._ahead = self.now, len(self._at_work)
            else:
                self.lane.waited(self.now - self._look_due)
            self._next_tell = self.now + TARGET_SECONDS

    def _arrive(self, share: float = 1.0) -> bool:
        place = ExitStack()
        try:
            place.enter_context(self.lane.place(share))
        except UnavailableError:
            self.refused += 1
            return False
        self._at_work.append(place)
        self.longest_wait = max(self.longest_wait, self.wait)
        return True


@pytest.mark.parametrize("per_second", [60, 250, 800])
def test_at_four_times_the_rate_the_line_stays_short_and_the_machine_busy(per_second: int) -> None:
    machine = Machine(per_second)
    # The first burst was let in.
    machine.crowd(4 * per_second, 4)

    machine.crowd(4 * per_second, 10)

    assert machine.longest_wait < 1.5 * TARGET_SECONDS
    assert machine.served >= 0.97 * 10 * per_second
    assert machine.refused == pytest.approx(0.75 * 4 * per_second * 10, rel=0.05)


@pytest.mark.parametrize("per_second", [130, 160])
def test_nobody_waits_too_long_in_the_first_second_of_a_flood(per_second: int) -> None:
    machine = Machine(per_second).crowd(0.5 * per_second, 2)
    machine.crowd(4 * per_second, 3)
    # Beyond LONGEST_SECONDS, because a moment passes until the line is known, in which more come.
    assert machine.longest_wait < 1.0
    assert machine.served >= 0.97 * 3 * per_second


def test_nobody_is_refused_below_the_sustainable_rate() -> None:
    machine = Machine(200).crowd(180, 30)
    assert machine.refused == 0
    assert machine.lane.limit >= FIRST


def test_a_burst_is_let_in_and_served_in_turn() -> None:
    machine = Machine(400)
    machine.crowd(13_000, TICK)
    assert machine.refused == 0
    assert machine.crowd(0, 1).served == pytest.approx(130, abs=5)


def test_a_hundred_shoppers_at_a_cold_start_are_all_served() -> None:
    machine = Machine(110)
    machine.shoppers(100, 1, share=0.75)
    assert machine.longest_wait > 2 * TARGET_SECONDS
    machine.per_second = 400

    machine.shoppers(100, 20, share=0.75)

    assert machine.refused == 0


def test_a_hundred_shoppers_meet_no_refusal_soon_after_a_flood_though_they_always_stand_in_line() -> None:
    machine = Machine(300).crowd(1_200, 10).crowd(0, 0.5)
    machine.shoppers(100, 8, share=0.75)

    machine.shoppers(100, 20, share=0.75)

    assert SHORT * TARGET_SECONDS < machine.wait < TARGET_SECONDS
    assert machine.refused == 0


def test_two_hundred_shoppers_are_more_than_a_machine_for_fifty_serves_in_time() -> None:
    machine = Machine(50).shoppers(200, 5)
    machine.shoppers(200, 10)
    assert machine.refused > 0
    assert machine.longest_wait < 2 * TARGET_SECONDS
    assert machine.served >= 0.97 * 10 * 50


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


def test_a_line_turns_nobody_away_before_it_has_been_too_long_for_a_second() -> None:
    limit = AdaptiveLimit(400)
    for now in (0.0, 0.5, STANDING_SECONDS - 0.01):
        limit.waited(30.0, now=now, used=True)
    limit.waited(TARGET_SECONDS, now=STANDING_SECONDS, used=True)
    limit.waited(30.0, now=STANDING_SECONDS + 0.1, used=True)
    assert limit.value == FIRST


def test_a_standing_line_takes_half_a_look_at_most_and_the_fewest_always_stay() -> None:
    limit = AdaptiveLimit(400)
    limit.waited(30.0, now=0.0, used=False)
    limit.waited(30.0, now=STANDING_SECONDS, used=False)
    assert limit.value == FIRST // 2
    for look in range(20):
        limit.waited(30.0, now=STANDING_SECONDS + look, used=False)
    assert limit.value == FEWEST


def test_what_shrank_the_limit_is_forgotten_while_people_stand_in_a_line_that_is_short_enough() -> None:
    limit = AdaptiveLimit(400)
    limit.waited(30.0, now=0.0, used=True)
    limit.waited(30.0, now=STANDING_SECONDS, used=True)
    for look in range(FIRST // 2):
        limit.waited(0.9 * TARGET_SECONDS, now=10 + look / 10, used=True)
    assert limit.value == FIRST
    limit.waited(0.9 * TARGET_SECONDS, now=30, used=True)
    assert limit.value == FIRST


def test_a_limit_that_is_not_used_does_not_grow_beyond_the_first() -> None:
    limit = AdaptiveLimit(400)
    for _ in range(50):
        limit.waited(0.0, now=0.0, used=False)
    assert limit.value == FIRST


def test_a_small_limit_stays_what_it_is() -> None:
    limit = AdaptiveLimit(2)
    for now in (0.0, STANDING_SECONDS):
        limit.waited(30.0, now=now, used=True)
    limit.waited(0.0, now=2.0, used=True)
    assert limit.value == 2


def test_who_would_wait_too_long_is_refused_on_arrival_where_a_crowd_is_at_work() -> None:
    now, at_work = 0.0, AtWork(CROWD)
    lane = Lane("test", 400, now=lambda: now, at_work=at_work)
    lane.waited(0.0)
    with ExitStack() as let_in:
        for _ in range(8):
            let_in.enter_context(lane.place())
        now = 2.0
        # In two seconds nobody was served.
        with pytest.raises(UnavailableError) as refused, lane.place():
            pass
        assert refused.value.retry_after == RETRY_AFTER_SECONDS
        at_work.calls = CROWD - 1
        let_in.enter_context(lane.place())
        at_work.calls = CROWD
        lane.waited(BUSY_SECONDS)
        with pytest.raises(UnavailableError), lane.place():
            pass
        lane.waited(0.0)
        let_in.enter_context(lane.place())


@pytest.mark.parametrize(("share", "served"), [(1.0, 20), (0.5, 40)])
def test_who_may_fill_a_share_of_the_places_may_wait_for_that_share_of_the_time(share: float, served: int) -> None:
    now = 0.0
    lane = Lane("test", 400, now=lambda: now, at_work=AtWork(CROWD))
    lane.waited(0.0)
    for _ in range(served):
        with lane.place():
            pass
    now = 1.0
    with ExitStack() as let_in:
        # The last of them would wait for as long as may be: the share of LONGEST_SECONDS.
        for _ in range(13):
            let_in.enter_context(lane.place(share))
        with pytest.raises(UnavailableError), lane.place(share):
            pass


def test_a_pace_is_that_of_the_time_since_the_line_was_short_and_forgets() -> None:
    pace = Pace()
    assert pace.seconds_for(10, 0.0) == 0.0
    pace.line(0.0, 0.0)
    for _ in range(20):
        pace.served()
    assert pace.seconds_for(10, 0.19) == 0.0
    pace.line(BUSY_SECONDS, 0.2)
    assert pace.seconds_for(10, 1.0) == pytest.approx(0.5)
    # From now on twice as slow: the first seconds count less and less.
    for second in (4.0, 7.0, 10.0):
        for _ in range(30):
            pace.served()
        pace.seconds_for(10, second)
    assert pace.seconds_for(10, 10.0) == pytest.approx(1.0, rel=0.1)
    pace.line(0.0, 10.0)
    assert pace.seconds_for(10, 10.19) == 0.0


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


@pytest.mark.parametrize(
    ("connection", "stock", "limits"),
    [
        (TARGET_SECONDS, BUYING_SECONDS - TARGET_SECONDS, (FIRST, FIRST)),
        (0.0, 2 * BUYING_SECONDS, (FIRST // 2, FIRST)),
        (BUYING_SECONDS, BUYING_SECONDS, (FIRST // 2, int(FIRST * TARGET_SECONDS / BUYING_SECONDS))),
    ],
)
def test_buyers_stand_in_the_line_of_the_reads_as_well_and_nobody_else_in_that_of_the_stock(
    connection: float, stock: float, limits: tuple[int, int]
) -> None:
    now = 0.0
    lanes = Lanes(400, lambda: now)
    for moment in (0.0, STANDING_SECONDS):
        now = moment
        lanes.connection_waited(connection)
        lanes.stock_waited(stock)
        lanes.catalog_waited(0.0)
    assert (lanes.buying.limit, lanes.general.limit, lanes.browsing.limit) == (*limits, FIRST)


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
