"""Somebody comes to act for a house, and ceases to."""

from collections.abc import Callable
from dataclasses import dataclass, field
from uuid import UUID

import pytest

from kapda.domain.identity.use_cases.add_house_member import AddHouseMember
from kapda.domain.identity.use_cases.house_editor import HouseEditor, HouseMemberCommand
from kapda.domain.identity.use_cases.remove_house_member import RemoveHouseMember
from kapda.domain.identity.user import DisplayName, EmailAddress, Role, User, UserStatus
from kapda.domain.shared.audit import OPERATOR, AuditAction, Occasion
from kapda.domain.shared.errors import DomainError, Reason
from kapda.domain.shared.ids import DesignerId, UserId
from tests.fakes.identity import CountingIds, IdentityTables, InMemoryIdentityUnitOfWork, SettableClock

HOUSE, NO_HOUSE = DesignerId(UUID(int=20)), DesignerId(UUID(int=21))
LEELA = UserId(UUID(int=1))
WHY = Occasion(OPERATOR, "cli-1", "joined the house")


@dataclass
class Desk:
    """A house, and Leela, a designer."""

    tables: IdentityTables = field(default_factory=IdentityTables)
    clock: SettableClock = field(default_factory=SettableClock)

    def __post_init__(self) -> None:
        user = User.signed_up(LEELA, EmailAddress("leela@example.in"), DisplayName("Leela"), "-", self.clock.now())
        user.role = Role.DESIGNER
        self.tables.users[LEELA] = user
        self.tables.designers.add(HOUSE)
        editor = HouseEditor(lambda: InMemoryIdentityUnitOfWork(self.tables), CountingIds(100), self.clock)
        self.add = AddHouseMember(editor, self.clock)
        self.remove = RemoveHouseMember(editor)


def about(house: DesignerId = HOUSE, email: str = "Leela@Example.in") -> HouseMemberCommand:
    return HouseMemberCommand(WHY, EmailAddress(email), house)


@pytest.fixture
def desk() -> Desk:
    return Desk()


async def test_a_member_is_added_and_removed_once_and_each_is_written_down(desk: Desk) -> None:
    added = [await desk.add.execute(about()) for _ in range(2)]
    assert [(member.designers, member.changed) for member in added] == [((HOUSE,), True), ((HOUSE,), False)]
    assert desk.tables.members == {(HOUSE, LEELA)}
    removed = [await desk.remove.execute(about()) for _ in range(2)]
    assert [(member.designers, member.changed) for member in removed] == [((), True), ((), False)]
    assert desk.tables.members == set()
    assert [(entry.action, entry.subject_id, entry.occasion, entry.details) for entry in desk.tables.audit] == [
        (AuditAction.HOUSE_MEMBER_ADDED, LEELA, WHY, {"designer_id": str(HOUSE)}),
        (AuditAction.HOUSE_MEMBER_REMOVED, LEELA, WHY, {"designer_id": str(HOUSE)}),
    ]


def _customer(user: User) -> None:
    user.role = Role.CUSTOMER


def _service(user: User) -> None:
    user.role = Role.SERVICE


def _disabled(user: User) -> None:
    user.status = UserStatus.DISABLED


@pytest.mark.parametrize("become", [_customer, _service, _disabled])
async def test_nobody_but_an_active_designer_or_brand_comes_to_act_for_a_house(
    desk: Desk, become: Callable[[User], None]
) -> None:
    become(desk.tables.users[LEELA])
    with pytest.raises(DomainError) as refusal:
        await desk.add.execute(about())
    assert refusal.value.reason is Reason.USER_STATE_INVALID
    assert (desk.tables.members, desk.tables.audit) == (set(), [])


@pytest.mark.parametrize("become", [_customer, _disabled])
async def test_whoever_lost_the_role_can_be_made_no_member_any_more(desk: Desk, become: Callable[[User], None]) -> None:
    await desk.add.execute(about())
    become(desk.tables.users[LEELA])
    assert (await desk.remove.execute(about())).changed
    assert desk.tables.members == set()


async def test_a_service_keeps_the_house_of_its_key(desk: Desk) -> None:
    await desk.add.execute(about())
    _service(desk.tables.users[LEELA])
    with pytest.raises(DomainError) as refusal:
        await desk.remove.execute(about())
    assert refusal.value.reason is Reason.USER_STATE_INVALID
    assert desk.tables.members == {(HOUSE, LEELA)}


async def test_a_house_or_a_user_that_is_not_there_is_not_found(desk: Desk) -> None:
    with pytest.raises(DomainError) as no_house:
        await desk.add.execute(about(NO_HOUSE))
    with pytest.raises(DomainError) as nobody:
        await desk.remove.execute(about(email="nobody@example.in"))
    assert (no_house.value.reason, nobody.value.reason) == (Reason.DESIGNER_NOT_FOUND, Reason.USER_NOT_FOUND)
