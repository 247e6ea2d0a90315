"""The counters of attempts as their port promises, in memory and in Valkey: both judge as the domain does."""

from collections.abc import AsyncIterator, Sequence
from datetime import timedelta
from uuid import UUID, uuid4

import pytest

from kapda.adapters.redis.client import make_client
from kapda.adapters.redis.log_in_counters import RedisLogInCounters
from kapda.domain.identity.client_network import ClientNetwork
from kapda.domain.identity.log_in_attempts import OPEN, Attempt, Gate, Outcome, PastAttempt, Verdict, judge
from kapda.domain.identity.throttle_ports import LogInCounters
from tests.fakes.identity import SettableClock
from tests.fakes.log_ins import InMemoryLogInCounters
from tests.waiting import PATIENCE_SECONDS

HOME, ABROAD = ClientNetwork("203.0.113.0/24"), ClientNetwork("2001:db8:7::/48")
IDENTIFIER = "a" * 64


@pytest.fixture(params=["in_memory", "valkey"])
async def counters(request: pytest.FixtureRequest) -> AsyncIterator[LogInCounters]:
    if request.param == "in_memory":
        yield InMemoryLogInCounters(SettableClock())
        return
    client = make_client(request.getfixturevalue("redis_url"), timeout=PATIENCE_SECONDS)
    yield RedisLogInCounters(client)
    await client.aclose()


def attempt(network: ClientNetwork = HOME, identifier: str = IDENTIFIER) -> Attempt:
    return Attempt(uuid4(), identifier, network)


async def begin(
    counters: LogInCounters, one: Attempt, past: Sequence[PastAttempt] = (), *, known: bool = False
) -> Verdict:
    """The verdict, which must not be None, with `past` in the rows."""

    async def rows() -> Sequence[PastAttempt]:
        return past

    verdict = await counters.begin(one, rows, network_is_known=known)
    assert verdict is not None
    return verdict


async def unwanted() -> Sequence[PastAttempt]:
    raise AssertionError("the rows were read")


def failures(*minutes_ago: float, network: ClientNetwork = HOME) -> list[PastAttempt]:
    return [PastAttempt(uuid4(), network, timedelta(minutes=ago), Outcome.FAILED) for ago in minutes_ago]


def scattered(number: int, *, ago: float = 1, every: float = 0) -> list[PastAttempt]:
    return [
        PastAttempt(
            UUID(int=i),
            ClientNetwork(f"10.0.{i}.0/24"),
            timedelta(minutes=ago + every * (number - 1 - i)),
            Outcome.FAILED,
        )
        for i in range(number)
    ]


def under_way(*seconds_ago: float, network: ClientNetwork = HOME) -> list[PastAttempt]:
    return [PastAttempt(uuid4(), network, timedelta(seconds=ago), Outcome.UNDER_WAY) for ago in seconds_ago]


@pytest.mark.parametrize("known", [False, True])
@pytest.mark.parametrize(
    "past",
    [
        [],
        failures(14, 8, 3, 1),
        failures(14, 8, 3, 1, 0.5),
        failures(20, 18, 12, 11, 10),
        failures(16, 12, 8, 4, 0.5),
        failures(22, 21, 20, 19, 18, 3, 2, 1, 0.5),
        failures(22, 21, 20, 19, 18, 4, 3, 2, 1, 0.5),
        failures(4, 3, 2, 1, 0.5, network=ABROAD),
        failures(5, 4, 3) + under_way(5),
        failures(5, 4, 3) + under_way(5, 4),
        failures(5, 4, 3, 2) + under_way(31),
        scattered(24),
        scattered(25),
        scattered(25, ago=59.5),
        scattered(25, ago=60.5),
        scattered(25, every=2.6),
        scattered(25, ago=10, every=2.4) + failures(2),
        scattered(25, ago=10) + failures(4, 3, 2, 1, 0.5),
        scattered(24) + under_way(5, network=ABROAD),
    ],
    ids=range(19),
)
async def test_what_the_rows_say_is_judged_as_the_domain_does(
    counters: LogInCounters, past: list[PastAttempt], known: bool
) -> None:
    expected = judge(past, HOME, network_is_known=known)
    verdict = await begin(counters, attempt(), past, known=known)
    assert verdict.gate is expected.gate
    # Some time passes between the reading and the judging.
    assert expected.wait - timedelta(seconds=5) <= verdict.wait <= expected.wait + timedelta(milliseconds=1)


async def test_the_rows_are_read_once(counters: LogInCounters) -> None:
    await begin(counters, attempt())
    assert await counters.begin(attempt(), unwanted, network_is_known=False) == OPEN


async def test_the_fifth_failure_locks_for_a_quarter_of_an_hour_from_when_it_began(counters: LogInCounters) -> None:
    for _ in range(5):
        one = attempt()
        assert await begin(counters, one) == OPEN
        await counters.settle(one, Outcome.FAILED)
    verdict = await begin(counters, attempt())
    assert verdict.gate is Gate.LOCKED
    assert timedelta(minutes=14) < verdict.wait <= timedelta(minutes=15)
    assert await begin(counters, attempt(ABROAD)) == OPEN
    assert await begin(counters, attempt(identifier="b" * 64)) == OPEN


async def test_five_under_way_leave_the_sixth_waiting_a_second(counters: LogInCounters) -> None:
    tries = [attempt() for _ in range(5)]
    assert [await begin(counters, one) for one in tries] == [OPEN] * 5
    assert await begin(counters, attempt()) == Verdict(Gate.LOCKED, timedelta(seconds=1))
    await counters.withdraw(tries[0])
    assert await begin(counters, attempt()) == OPEN


async def test_a_success_forgets_the_failures_of_its_network_and_of_no_other(counters: LogInCounters) -> None:
    await begin(counters, attempt(), failures(4, 3, 2) + failures(4, 3, 2, 1, 0.5, network=ABROAD))
    one = attempt()
    assert await begin(counters, one) == OPEN
    await counters.settle(one, Outcome.SUCCEEDED)
    for _ in range(4):
        next_one = attempt()
        assert await begin(counters, next_one) == OPEN
        await counters.settle(next_one, Outcome.FAILED)
    assert (await begin(counters, attempt(ABROAD))).gate is Gate.LOCKED


async def test_after_twenty_five_failures_only_known_networks_may_try(counters: LogInCounters) -> None:
    assert (await begin(counters, attempt(), scattered(25))).gate is Gate.LINK_NEEDED
    for _ in range(3):
        one = attempt()
        assert await begin(counters, one, known=True) == OPEN
        await counters.settle(one, Outcome.SUCCEEDED)
    assert (await begin(counters, attempt())).gate is Gate.LINK_NEEDED


async def test_a_refused_attempt_is_not_counted(counters: LogInCounters) -> None:
    await begin(counters, attempt(), failures(14.9, 14.8, 14.7, 14.6, 14.5))
    first = await begin(counters, attempt())
    for _ in range(30):
        assert (await begin(counters, attempt())).wait <= first.wait
    assert await begin(counters, attempt(ABROAD)) == OPEN


async def test_what_is_forgotten_is_read_from_the_rows_again(counters: LogInCounters) -> None:
    assert (await begin(counters, attempt(), failures(4, 3, 2, 1, 0.5))).gate is Gate.LOCKED
    await counters.forget(IDENTIFIER)
    assert await begin(counters, attempt(), failures(4, 3, 2)) == OPEN
