"""Who may try a password: decided by the counters, and without them by the rows, alike for everybody."""

from dataclasses import dataclass, field
from datetime import timedelta

import pytest

from kapda.domain.identity.client_network import ClientNetwork
from kapda.domain.identity.log_in_attempts import Attempt, Outcome
from kapda.domain.identity.use_cases.attempts_under_way import AttemptsUnderWay
from kapda.domain.identity.use_cases.log_in_guard import LogInGuard
from kapda.domain.identity.user import DisplayName, EmailAddress, User
from kapda.domain.shared.errors import Reason, ResourceExhaustedError
from kapda.domain.shared.ids import UserId
from tests.fakes.identity import CountingIds, IdentityTables, InMemoryIdentityUnitOfWork
from tests.fakes.log_ins import InMemoryLogInCounters, ReadableDigests

HOME, ABROAD = ClientNetwork("203.0.113.0/24"), ClientNetwork("198.51.100.0/24")
OWNED, NOBODYS, NO_ADDRESS = "asha@example.in", "nobody@example.in", "no address at all"
MINUTE = timedelta(minutes=1)


@dataclass
class Door:
    """A guard on fakes, with Asha's account, who got in from home before."""

    tables: IdentityTables = field(default_factory=IdentityTables)

    def __post_init__(self) -> None:
        self.clock = self.tables.clock
        self.counters = InMemoryLogInCounters(self.clock)
        self.guard = LogInGuard(
            lambda: InMemoryIdentityUnitOfWork(self.tables),
            lambda: InMemoryIdentityUnitOfWork(self.tables),
            self.counters,
            AttemptsUnderWay(),
            ReadableDigests(),
            CountingIds(),
            self.clock,
        )
        now = self.clock.now()
        user = User.signed_up(UserId(CountingIds(99).new()), EmailAddress(OWNED), DisplayName("Asha"), "hash", now)
        self.tables.users[user.id] = user
        self.tables.known_networks[user.id, HOME] = now

    async def fail(self, email: str, times: int, network: ClientNetwork = HOME) -> None:
        """So many wrong passwords."""
        for _ in range(times):
            await self.guard.failed(await self.guard.begin(email, network))

    async def fail_from_everywhere(self, email: str) -> None:
        """As many as close an identifier, each from a network of its own."""
        for number in range(25):
            await self.fail(email, 1, ClientNetwork(f"10.0.{number}.0/24"))

    async def refused(self, email: str, network: ClientNetwork = HOME) -> ResourceExhaustedError:
        """The refusal, which must come."""
        with pytest.raises(ResourceExhaustedError) as caught:
            await self.guard.begin(email, network)
        return caught.value


@pytest.fixture(params=["counters", "rows"])
def door(request: pytest.FixtureRequest) -> Door:
    door = Door()
    door.counters.reachable = request.param == "counters"
    return door


@pytest.mark.parametrize("email", [OWNED, NOBODYS, NO_ADDRESS])
async def test_five_wrong_passwords_lock_the_network_out_and_say_for_how_long(door: Door, email: str) -> None:
    await door.fail(email, 5)
    refusal = await door.refused(email)
    assert (refusal.reason, refusal.retry_after) == (Reason.LOG_IN_LOCKED, 900)
    door.clock.advance(4 * MINUTE)
    assert (await door.refused(email)).retry_after == 660
    door.clock.advance(11 * MINUTE)
    assert isinstance(await door.guard.begin(email, HOME), Attempt)


async def test_another_spelling_of_the_address_is_the_same_identifier(door: Door) -> None:
    await door.fail("Asha@Example.IN", 3)
    await door.fail(OWNED, 2)
    assert (await door.refused("ASHA@example.in")).reason is Reason.LOG_IN_LOCKED


@pytest.mark.parametrize("email", [OWNED, NOBODYS, NO_ADDRESS])
async def test_after_twenty_five_from_everywhere_unknown_networks_need_a_link(door: Door, email: str) -> None:
    await door.fail_from_everywhere(email)
    refusal = await door.refused(email, ABROAD)
    assert (refusal.reason, refusal.retry_after) == (Reason.LOG_IN_LINK_NEEDED, 3600)
    door.clock.advance(60 * MINUTE)
    assert isinstance(await door.guard.begin(email, ABROAD), Attempt)


async def test_the_owner_at_home_gets_in_during_the_attack(door: Door) -> None:
    await door.fail_from_everywhere(OWNED)
    assert isinstance(await door.guard.begin(OWNED, HOME), Attempt)


async def test_at_home_too_five_failures_lock_during_the_attack(door: Door) -> None:
    await door.fail_from_everywhere(OWNED)
    await door.fail(OWNED, 5)
    assert (await door.refused(OWNED)).reason is Reason.LOG_IN_LOCKED


async def test_a_password_that_was_not_looked_at_counts_for_nothing(door: Door) -> None:
    for _ in range(10):
        await door.guard.withdrawn(await door.guard.begin(OWNED, HOME))
    assert isinstance(await door.guard.begin(OWNED, HOME), Attempt)


async def test_an_attempt_whose_caller_went_away_is_a_failure(door: Door) -> None:
    for _ in range(5):
        await door.guard.begin(OWNED, HOME)
    assert (await door.refused(OWNED)).retry_after == 1
    door.clock.advance(MINUTE)
    assert (await door.refused(OWNED)).retry_after == 840


async def test_a_success_starts_the_count_anew(door: Door) -> None:
    await door.fail(OWNED, 4)
    attempt = await door.guard.begin(OWNED, HOME)
    async with door.guard.unit_of_work() as uow:
        await uow.log_in_attempts.record(attempt, Outcome.SUCCEEDED)
        await uow.commit()
    await door.guard.succeeded(attempt)
    await door.fail(OWNED, 4)
    assert isinstance(await door.guard.begin(OWNED, HOME), Attempt)


async def test_a_lock_outlives_the_loss_of_the_counters() -> None:
    door = Door()
    await door.fail(OWNED, 5)
    door.counters.lose_everything()
    assert (await door.refused(OWNED)).retry_after == 900


async def test_attempts_under_way_outlive_the_loss_of_the_counters() -> None:
    door = Door()
    for _ in range(3):
        await door.guard.begin(OWNED, HOME)
    door.counters.lose_everything()
    await door.guard.begin(OWNED, HOME)
    door.counters.reachable = False
    await door.guard.begin(OWNED, HOME)
    assert (await door.refused(OWNED)).retry_after == 1
    door.counters.reachable = True
    assert (await door.refused(OWNED)).retry_after == 1


async def test_failures_on_both_sides_of_an_outage_are_one_count() -> None:
    door = Door()
    await door.fail(OWNED, 2)
    door.counters.reachable = False
    await door.fail(OWNED, 2)
    door.counters.reachable = True
    await door.fail(OWNED, 1)
    assert (await door.refused(OWNED)).reason is Reason.LOG_IN_LOCKED
    door.counters.reachable = False
    assert (await door.refused(OWNED)).reason is Reason.LOG_IN_LOCKED


async def test_no_address_is_kept_anywhere(door: Door) -> None:
    await door.fail(OWNED, 1)
    kept = [*door.counters.sets, *(row.attempt.identifier for row in door.tables.log_in_attempts.values())]
    assert kept
    assert set(kept) == {"digest of asha@example.in"}
