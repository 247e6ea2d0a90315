"""An admin lets somebody try the password again, once a request, and the log says who did and why."""

from dataclasses import dataclass, field, replace
from uuid import UUID, uuid4

import pytest

from kapda.domain.identity.administration import ManagedUser
from kapda.domain.identity.client_network import ClientNetwork
from kapda.domain.identity.principal import Principal
from kapda.domain.identity.use_cases.attempts_under_way import AttemptsUnderWay
from kapda.domain.identity.use_cases.log_in_guard import LogInGuard
from kapda.domain.identity.use_cases.unlock_user import UnlockUser, UnlockUserCommand
from kapda.domain.identity.user import DisplayName, EmailAddress, Role, User, UserStatus
from kapda.domain.shared.audit import AuditAction, Occasion
from kapda.domain.shared.errors import DomainError, Reason, ResourceExhaustedError
from kapda.domain.shared.ids import RequestId, SessionId, UserId
from kapda.domain.shared.request_log import Answer
from tests.fakes.identity import CountingIds
from tests.fakes.log_ins import InMemoryLogInCounters, ReadableDigests
from tests.fakes.profiles import InMemoryProfileUnitOfWork, ProfileTables
from tests.fakes.samples import ASHA

MEERA = Principal(UserId(UUID(int=7)), Role.ADMIN, SessionId(UUID(int=8)))
EMAIL, OTHER = "asha@example.in", "binod@example.in"
HOME, STRANGER = ClientNetwork("203.0.113.0/24"), ClientNetwork("198.51.100.0/24")
GUESSERS = [ClientNetwork(f"10.0.{number}.0/24") for number in range(20)]


@dataclass
class Office:
    """Meera's desk, and the door to Asha's account."""

    tables: ProfileTables = field(default_factory=ProfileTables)

    def __post_init__(self) -> None:
        self.clock = self.tables.clock
        self.ids = CountingIds(100)
        self.counters = InMemoryLogInCounters(self.clock)
        self.guard = LogInGuard(
            self.unit_of_work,
            self.unit_of_work,
            self.counters,
            AttemptsUnderWay(),
            ReadableDigests(),
            self.ids,
            self.clock,
        )
        self.tables.users[ASHA] = User.signed_up(
            ASHA, EmailAddress("Asha@example.in"), DisplayName("Asha"), "1:pw", self.clock.now()
        )

    def unit_of_work(self) -> InMemoryProfileUnitOfWork:
        return InMemoryProfileUnitOfWork(self.tables)

    async def guess(self, email: str, *networks: ClientNetwork) -> None:
        for network in networks:
            await self.guard.failed(await self.guard.begin(email, network))

    async def gate(self, email: str, network: ClientNetwork) -> Reason | None:
        try:
            await self.guard.withdrawn(await self.guard.begin(email, network))
        except ResourceExhaustedError as refusal:
            return refusal.reason
        return None

    async def unlock(self, request: UUID | None = None, user_id: UserId = ASHA) -> Answer[ManagedUser]:
        use_case = UnlockUser(self.unit_of_work, self.guard, self.ids, self.clock)
        occasion = Occasion(MEERA.actor, "call-12345678", "asked for by phone")
        return await use_case.execute(UnlockUserCommand(MEERA, occasion, RequestId(request or uuid4()), user_id))


@pytest.fixture(params=["counters", "rows"])
def office(request: pytest.FixtureRequest) -> Office:
    office = Office()
    office.counters.reachable = request.param == "counters"
    return office


async def test_everybody_may_try_again_and_the_log_says_who_let_them(office: Office) -> None:
    await office.guess(EMAIL, *[HOME] * 5, *GUESSERS)
    await office.guess(OTHER, *[HOME] * 5)
    assert await office.gate(EMAIL, HOME) is Reason.LOG_IN_LOCKED
    assert await office.gate(EMAIL, STRANGER) is Reason.LOG_IN_LINK_NEEDED
    answer = await office.unlock()
    assert answer.value == ManagedUser.of(office.tables.users[ASHA])
    assert [await office.gate(EMAIL, network) for network in (HOME, STRANGER, *GUESSERS)] == [None] * 22
    assert await office.gate(OTHER, HOME) is Reason.LOG_IN_LOCKED
    (entry,) = office.tables.audit
    assert (entry.action, entry.subject_id, entry.details) == (AuditAction.USER_UNLOCKED, ASHA, {"attempts": 25})
    assert (entry.occasion.actor, entry.occasion.reason) == (MEERA.actor, "asked for by phone")


async def test_a_retry_does_not_let_in_whoever_was_locked_out_since(office: Office) -> None:
    request = uuid4()
    await office.guess(EMAIL, *[HOME] * 5)
    first = await office.unlock(request)
    await office.guess(EMAIL, *[HOME] * 5)
    again = await office.unlock(request)
    assert (again.value, again.replayed) == (first.value, True)
    assert await office.gate(EMAIL, HOME) is Reason.LOG_IN_LOCKED
    assert len(office.tables.audit) == 1


async def test_the_retry_of_a_request_cut_off_before_it_told_the_counters_tells_them() -> None:
    office, request = Office(), uuid4()
    await office.guess(EMAIL, *[HOME] * 5)
    known = dict(office.counters.sets)
    await office.unlock(request)
    # As if the first call had been cut off after its commit.
    office.counters.sets = known
    assert await office.gate(EMAIL, HOME) is Reason.LOG_IN_LOCKED
    await office.unlock(request)
    assert await office.gate(EMAIL, HOME) is None


async def test_attempts_under_way_still_count(office: Office) -> None:
    for _ in range(5):
        await office.guard.begin(EMAIL, HOME)
    await office.unlock()
    assert await office.gate(EMAIL, HOME) is Reason.LOG_IN_LOCKED


async def test_who_is_not_there_or_has_left_cannot_be_unlocked(office: Office) -> None:
    with pytest.raises(DomainError) as refusal:
        await office.unlock(user_id=MEERA.user_id)
    assert refusal.value.reason is Reason.USER_NOT_FOUND
    office.tables.users[ASHA] = replace(office.tables.users[ASHA], status=UserStatus.DELETED)
    with pytest.raises(DomainError) as refusal:
        await office.unlock()
    assert refusal.value.reason is Reason.USER_STATE_INVALID
    assert office.tables.audit == []
