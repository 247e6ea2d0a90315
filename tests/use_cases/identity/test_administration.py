"""What admins and operators do to accounts, on fakes: each answer, each refusal, and what the audit log says of it."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from functools import partial
from uuid import UUID, uuid4

import pytest

from kapda.domain.identity.administration import ManagedUser
from kapda.domain.identity.password import Password
from kapda.domain.identity.principal import Principal
from kapda.domain.identity.session import Session
from kapda.domain.identity.signing import SigningKey
from kapda.domain.identity.use_cases.create_admin import AdminOutcome, CreateAdmin, CreateAdminCommand, CreatedAdmin
from kapda.domain.identity.use_cases.disable_user import DisableUser, DisableUserCommand
from kapda.domain.identity.use_cases.enable_user import EnableUser, EnableUserCommand
from kapda.domain.identity.use_cases.end_user_sessions import EndUserSessions, EndUserSessionsCommand
from kapda.domain.identity.use_cases.get_user import GetUser, GetUserCommand
from kapda.domain.identity.use_cases.get_user_by_email import GetUserByEmail, GetUserByEmailCommand
from kapda.domain.identity.use_cases.list_audit_entries import ListAuditEntries, ListAuditEntriesCommand
from kapda.domain.identity.use_cases.list_user_sessions import ListUserSessions, ListUserSessionsCommand
from kapda.domain.identity.use_cases.set_user_role import SetUserRole, SetUserRoleCommand
from kapda.domain.identity.use_cases.user_editor import UserEditor
from kapda.domain.identity.user import DisplayName, EmailAddress, Role, User, UserStatus
from kapda.domain.shared.audit import OPERATOR, Actor, ActorKind, AuditAction, AuditFilter, Occasion
from kapda.domain.shared.errors import DomainError, Reason
from kapda.domain.shared.ids import DesignerId, RequestId, SessionId, SigningKeyId, UserId
from kapda.domain.shared.pages import Page, PageRequest
from kapda.domain.shared.request_log import Answer
from kapda.domain.shared.request_proof import RequestProof
from tests.fakes.identity import (
    CountingIds,
    InMemoryRevokedTokens,
    ListedPasswordStrength,
    ReadablePasswordHasher,
    SettableClock,
)
from tests.fakes.profiles import InMemoryProfileUnitOfWork, ProfileTables

MEERA, RAVI, ASHA, WAREHOUSE, GONE = (UserId(UUID(int=number)) for number in range(1, 6))
WHY = "asked for by phone"
PASSWORD = "Kurta-and-9-yards"


def session_of(user_id: UserId) -> SessionId:
    return SessionId(UUID(int=100 + user_id.int))


def key_of(user_id: UserId) -> SigningKeyId:
    return SigningKeyId(UUID(int=0x51_00 + user_id.int))


HOUSE = DesignerId(UUID(int=0x4005E))


@dataclass
class Office:
    """Two admins, a customer, a service and somebody who left; Meera is at the desk."""

    tables: ProfileTables = field(default_factory=ProfileTables)
    clock: SettableClock = field(default_factory=SettableClock)
    ids: CountingIds = field(default_factory=lambda: CountingIds(1_000))
    revoked: InMemoryRevokedTokens = field(default_factory=InMemoryRevokedTokens)

    def __post_init__(self) -> None:
        now = self.clock.now()
        for user_id, name, role in (
            (MEERA, "meera", Role.ADMIN),
            (RAVI, "ravi", Role.ADMIN),
            (ASHA, "asha", Role.CUSTOMER),
            (GONE, "gone", Role.CUSTOMER),
        ):
            user = User.signed_up(user_id, EmailAddress(f"{name}@example.in"), DisplayName(name), "1:pw", now)
            user.role = role
            self.tables.users[user_id] = user
            self.tables.sessions[session_of(user_id)] = Session.start(session_of(user_id), user_id, now)
        self.tables.users[GONE].status = UserStatus.DELETED
        for user_id in (MEERA, RAVI, ASHA):
            self.tables.signing_keys[key_of(user_id)] = SigningKey(key_of(user_id), user_id, now)
        self.tables.users[WAREHOUSE] = User.service(WAREHOUSE, DisplayName("warehouse"), now)

    def unit_of_work(self) -> InMemoryProfileUnitOfWork:
        return InMemoryProfileUnitOfWork(self.tables)

    @property
    def editor(self) -> UserEditor:
        return UserEditor(self.unit_of_work, self.revoked, self.ids, self.clock)

    def proof_by(self, user_id: UserId) -> RequestProof:
        """That the user signed, under a nonce of its own."""
        return RequestProof(key_of(user_id), uuid4().hex, self.clock.now())

    def may_sign(self, user_id: UserId) -> bool:
        return self.tables.signing_keys[key_of(user_id)].revoked_at is None

    async def set_role(
        self, user_id: UserId, role: Role, by: UserId = MEERA, request: UUID | None = None
    ) -> ManagedUser:
        principal, occasion, request_id = _by(by, request)
        proof = self.proof_by(by)
        command = SetUserRoleCommand(principal, occasion, proof, request_id, user_id, role)
        return (await SetUserRole(self.editor).execute(command)).value

    async def disable(self, user_id: UserId, by: UserId = MEERA, request: UUID | None = None) -> Answer[ManagedUser]:
        return await DisableUser(self.editor).execute(DisableUserCommand(*_by(by, request), user_id))

    async def enable(self, user_id: UserId, by: UserId = MEERA) -> ManagedUser:
        principal, occasion, request_id = _by(by)
        command = EnableUserCommand(principal, occasion, self.proof_by(by), request_id, user_id)
        return (await EnableUser(self.editor).execute(command)).value

    async def end_sessions(self, user_id: UserId, request: UUID | None = None) -> Answer[ManagedUser]:
        use_case = EndUserSessions(self.unit_of_work, self.revoked, self.ids, self.clock)
        return await use_case.execute(EndUserSessionsCommand(*_by(MEERA, request), user_id))

    async def sessions_of(self, user_id: UserId, page: PageRequest | None = None) -> Page[Session]:
        use_case = ListUserSessions(self.unit_of_work, self.ids, self.clock)
        _, occasion, _ = _by(MEERA)
        return await use_case.execute(ListUserSessionsCommand(occasion, user_id, page or PageRequest(10)))

    async def create_admin(self, email: str, password: str = PASSWORD) -> CreatedAdmin:
        use_case = CreateAdmin(
            self.unit_of_work, ReadablePasswordHasher(), ListedPasswordStrength(), self.revoked, self.ids, self.clock
        )
        occasion = Occasion(OPERATOR, "cli-1", WHY)
        return await use_case.execute(
            CreateAdminCommand(occasion, EmailAddress(email), DisplayName("Meera Nair"), Password(password))
        )

    def confirm(self, user_id: UserId) -> None:
        """The user has followed a link that was mailed to the account's address."""
        self.tables.users[user_id].confirm_email(self.clock.now())

    @property
    def deeds(self) -> list[tuple[AuditAction, UUID]]:
        return [(entry.action, entry.subject_id) for entry in self.tables.audit]

    def signed_in(self, user_id: UserId) -> bool:
        return self.tables.sessions[session_of(user_id)].is_active(self.clock.now())


def _by(user_id: UserId, request: UUID | None = None) -> tuple[Principal, Occasion, RequestId]:
    principal = Principal(user_id, Role.ADMIN, session_of(user_id))
    return principal, Occasion(principal.actor, "call-12345678", WHY), RequestId(request or uuid4())


async def refusal(call: Awaitable[object]) -> DomainError:
    with pytest.raises(DomainError) as refused:
        await call
    return refused.value


@pytest.fixture
def office() -> Office:
    return Office()


async def test_another_role_ends_the_sessions_that_name_the_old_one_and_is_written_down(office: Office) -> None:
    office.confirm(ASHA)
    user = await office.set_role(ASHA, Role.DESIGNER)
    assert (user.role, office.tables.users[ASHA].role) == (Role.DESIGNER, Role.DESIGNER)
    assert not office.signed_in(ASHA)
    assert office.revoked.entries == {session_of(ASHA)}
    (entry,) = office.tables.audit
    assert (entry.action, entry.subject_type, entry.subject_id) == (AuditAction.ROLE_SET, "user", ASHA)
    assert entry.occasion == Occasion(Actor(ActorKind.USER, MEERA), "call-12345678", WHY)
    assert (entry.details["role_before"], entry.details["role"]) == ("customer", "designer")


async def test_a_role_that_is_there_already_is_not_written_down(office: Office) -> None:
    await office.set_role(ASHA, Role.CUSTOMER)
    assert office.deeds == []


@pytest.mark.parametrize("take", [Office.disable, partial(Office.set_role, role=Role.CUSTOMER)])
async def test_what_an_admin_signed_with_is_no_key_any_more_when_the_power_comes_back(
    office: Office, take: Callable[[Office, UserId], Awaitable[object]]
) -> None:
    office.confirm(RAVI)
    await take(office, RAVI)
    assert not office.may_sign(RAVI)
    assert office.may_sign(MEERA)
    assert office.tables.audit[-1].details["signing_keys_revoked"] == 1
    await office.enable(RAVI)
    await office.set_role(RAVI, Role.ADMIN)
    assert not office.may_sign(RAVI)
    assert (await refusal(office.set_role(ASHA, Role.CUSTOMER, by=RAVI))).reason is Reason.SIGNATURE_INVALID


@pytest.mark.parametrize(("role", "stays"), [(Role.BRAND, True), (Role.CUSTOMER, False), (Role.ADMIN, False)], ids=str)
async def test_whoever_loses_the_role_leaves_the_house_and_is_no_member_when_it_comes_back(
    office: Office, role: Role, stays: bool
) -> None:
    office.confirm(ASHA)
    await office.set_role(ASHA, Role.DESIGNER)
    office.tables.members |= {(HOUSE, ASHA), (HOUSE, RAVI)}
    await office.set_role(ASHA, role)
    await office.set_role(ASHA, Role.DESIGNER)
    assert ((HOUSE, ASHA) in office.tables.members) is stays
    assert (HOUSE, RAVI) in office.tables.members
    assert [entry.details.get("houses_left") for entry in office.tables.audit[1:]] == ([None] * 2 if stays else [1, 0])


async def test_whoever_is_shut_and_opened_again_acts_for_the_house_as_before(office: Office) -> None:
    office.confirm(ASHA)
    await office.set_role(ASHA, Role.DESIGNER)
    office.tables.members.add((HOUSE, ASHA))
    await office.disable(ASHA)
    await office.enable(ASHA)
    assert office.tables.members == {(HOUSE, ASHA)}


async def test_a_key_of_before_is_no_key_of_an_admins(office: Office) -> None:
    office.confirm(ASHA)
    await office.set_role(ASHA, Role.ADMIN)
    assert not office.may_sign(ASHA)


async def test_nor_is_it_of_one_whom_an_operator_makes(office: Office) -> None:
    office.confirm(ASHA)
    await office.create_admin("asha@example.in")
    assert not office.may_sign(ASHA)


async def test_what_changes_nothing_ends_no_key(office: Office) -> None:
    await office.set_role(RAVI, Role.ADMIN)
    await office.enable(RAVI)
    await office.create_admin("ravi@example.in")
    assert office.may_sign(RAVI)


async def test_an_account_is_shut_and_opened_again(office: Office) -> None:
    assert (await office.disable(ASHA)).value.status is UserStatus.DISABLED
    assert not office.signed_in(ASHA)
    assert office.revoked.entries == {session_of(ASHA)}
    assert (await office.enable(ASHA)).status is UserStatus.ACTIVE
    assert office.deeds == [(AuditAction.USER_DISABLED, ASHA), (AuditAction.USER_ENABLED, ASHA)]


async def test_shutting_what_is_shut_and_opening_what_is_open_changes_nothing(office: Office) -> None:
    await office.enable(ASHA)
    await office.disable(ASHA)
    await office.disable(ASHA)
    assert office.deeds == [(AuditAction.USER_DISABLED, ASHA)]


async def test_the_same_request_again_does_nothing_more_and_answers_as_before(office: Office) -> None:
    request = uuid4()
    first = await office.disable(ASHA, request=request)
    await office.enable(ASHA)
    again = await office.disable(ASHA, request=request)
    assert (again.value, again.replayed) == (first.value, True)
    assert office.tables.users[ASHA].is_active
    assert (await refusal(office.disable(RAVI, request=request))).reason is Reason.REQUEST_ID_REUSED


async def test_nobody_shuts_or_demotes_the_own_account(office: Office) -> None:
    assert (await refusal(office.disable(MEERA))).reason is Reason.OWN_ACCOUNT
    assert (await refusal(office.set_role(MEERA, Role.CUSTOMER))).reason is Reason.OWN_ACCOUNT
    assert office.signed_in(MEERA)
    assert office.deeds == []


async def test_who_was_demoted_a_moment_ago_takes_no_power_from_others(office: Office) -> None:
    await office.set_role(MEERA, Role.CUSTOMER, by=RAVI)
    for call in (office.set_role(RAVI, Role.CUSTOMER), office.disable(RAVI)):
        assert (await refusal(call)).reason is Reason.ROLE_NOT_ALLOWED
    assert office.tables.users[RAVI].role is Role.ADMIN


async def test_services_and_deleted_accounts_keep_their_roles(office: Office) -> None:
    for call in (
        office.set_role(WAREHOUSE, Role.CUSTOMER),
        office.set_role(GONE, Role.ADMIN),
        office.disable(GONE),
        office.enable(GONE),
    ):
        assert (await refusal(call)).reason is Reason.USER_STATE_INVALID
    assert (await refusal(office.set_role(ASHA, Role.SERVICE))).reason is Reason.VALIDATION_FAILED
    assert office.deeds == []


async def test_a_service_is_shut_like_anybody(office: Office) -> None:
    assert (await office.disable(WAREHOUSE)).value.status is UserStatus.DISABLED


async def test_who_does_not_exist_is_not_found(office: Office) -> None:
    nobody = UserId(uuid4())
    calls = (
        office.set_role(nobody, Role.ADMIN),
        office.disable(nobody),
        office.enable(nobody),
        office.end_sessions(nobody),
        office.sessions_of(nobody),
        GetUser(office.unit_of_work).execute(GetUserCommand(nobody)),
        GetUserByEmail(office.unit_of_work).execute(GetUserByEmailCommand(EmailAddress("no@example.in"))),
    )
    for call in calls:
        assert (await refusal(call)).reason is Reason.USER_NOT_FOUND


async def test_a_user_is_found_by_id_and_by_any_spelling_of_the_address_without_the_hash(office: Office) -> None:
    found = await GetUser(office.unit_of_work).execute(GetUserCommand(ASHA))
    by_email = GetUserByEmailCommand(EmailAddress("Asha@Example.in"))
    assert found == await GetUserByEmail(office.unit_of_work).execute(by_email)
    assert "1:pw" not in repr(found)


async def test_all_sessions_of_a_user_are_ended_once_a_request(office: Office) -> None:
    request = uuid4()
    first = await office.end_sessions(ASHA, request)
    assert not office.signed_in(ASHA)
    assert office.revoked.entries == {session_of(ASHA)}
    again = await office.end_sessions(ASHA, request)
    assert (again.value, again.replayed) == (first.value, True)
    assert office.deeds == [(AuditAction.SESSIONS_ENDED, ASHA)]
    assert office.tables.users[ASHA].is_active


async def test_who_looked_at_a_users_sessions_and_why_is_written_down_page_by_page(office: Office) -> None:
    second = SessionId(UUID(int=500))
    office.tables.sessions[second] = Session.start(second, ASHA, office.clock.now())
    first = await office.sessions_of(ASHA, PageRequest(1))
    rest = await office.sessions_of(ASHA, PageRequest(1, first.next_cursor))
    assert {session.id for session in (*first.items, *rest.items)} == {session_of(ASHA), second}
    assert office.deeds == [(AuditAction.SESSIONS_LISTED, ASHA)] * 2
    for entry in office.tables.audit:
        assert entry.occasion == Occasion(Actor(ActorKind.USER, MEERA), "call-12345678", WHY)
        assert entry.details == {"sessions": 1}


async def test_what_could_not_be_written_down_is_not_told(office: Office) -> None:
    class FullDisk(InMemoryProfileUnitOfWork):
        async def commit(self) -> None:
            raise RuntimeError("the disk is full")

    use_case = ListUserSessions(lambda: FullDisk(office.tables), office.ids, office.clock)
    with pytest.raises(RuntimeError):
        await use_case.execute(ListUserSessionsCommand(Occasion(OPERATOR, "cli-1", WHY), ASHA, PageRequest(10)))
    assert office.deeds == []


@pytest.mark.parametrize("end", [Office.disable, Office.end_sessions])
async def test_the_retry_of_a_request_cut_off_before_it_told_tells_of_the_ended_sessions(
    office: Office, end: Callable[..., Awaitable[Answer[ManagedUser]]]
) -> None:
    request = uuid4()
    await end(office, ASHA, request=request)
    # As if the first call had been cut off after its commit.
    office.revoked.entries.clear()
    assert (await end(office, ASHA, request=request)).replayed
    assert office.revoked.entries == {session_of(ASHA)}


async def test_the_log_is_read_by_subject_and_by_actor(office: Office) -> None:
    await office.disable(ASHA)
    await office.disable(WAREHOUSE, by=RAVI)
    use_case = ListAuditEntries(office.unit_of_work)
    for which, expected in (
        (AuditFilter(), {ASHA, WAREHOUSE}),
        (AuditFilter(subject_id=ASHA), {ASHA}),
        (AuditFilter(actor_id=RAVI), {WAREHOUSE}),
        (AuditFilter(subject_id=ASHA, actor_id=RAVI), set()),
    ):
        page = await use_case.execute(ListAuditEntriesCommand(which, PageRequest(10)))
        assert {entry.subject_id for entry in page.items} == expected


@pytest.mark.parametrize("role", [Role.DESIGNER, Role.BRAND, Role.ADMIN])
async def test_nobody_gets_power_before_the_account_is_known_to_be_of_its_address(office: Office, role: Role) -> None:
    refused = await refusal(office.set_role(ASHA, role))
    assert refused.reason is Reason.EMAIL_UNCONFIRMED
    assert office.tables.users[ASHA].role is Role.CUSTOMER
    assert office.signed_in(ASHA)
    assert office.deeds == []
    office.confirm(ASHA)
    assert (await office.set_role(ASHA, role)).role is role


@pytest.mark.parametrize("role", [Role.CUSTOMER, Role.DESIGNER, Role.BRAND])
async def test_an_admins_power_is_taken_whether_or_not_the_address_is_confirmed(office: Office, role: Role) -> None:
    assert (await office.set_role(RAVI, role)).role is role


async def test_an_operator_makes_the_first_admin_once(office: Office) -> None:
    made = await office.create_admin("first@example.in")
    assert made.outcome is AdminOutcome.CREATED
    assert (made.user.role, made.user.status) == (Role.ADMIN, UserStatus.ACTIVE)
    again = await office.create_admin("First@example.in", password="another-Password-2")
    assert again == CreatedAdmin(made.user, AdminOutcome.UNCHANGED)
    assert office.tables.users[made.user.id].password_hash == f"1:{PASSWORD}"
    assert office.deeds == [(AuditAction.ADMIN_CREATED, made.user.id)]
    assert office.tables.audit[0].occasion.actor == OPERATOR
    assert office.tables.audit[0].details == {"outcome": "created"}


async def test_an_operator_makes_an_admin_of_a_customer_whose_sessions_end_and_whose_password_stays(
    office: Office,
) -> None:
    office.confirm(ASHA)
    made = await office.create_admin("asha@example.in")
    assert (made.user.id, made.user.role, made.outcome) == (ASHA, Role.ADMIN, AdminOutcome.PROMOTED)
    assert office.tables.users[ASHA].password_hash == "1:pw"
    assert not office.signed_in(ASHA)
    assert office.revoked.entries == {session_of(ASHA)}
    assert office.tables.audit[0].details == {"outcome": "promoted"}


async def test_no_admin_is_made_of_whoever_signed_up_with_the_address_first(office: Office) -> None:
    refused = await refusal(office.create_admin("asha@example.in"))
    assert refused.reason is Reason.EMAIL_UNCONFIRMED
    assert office.tables.users[ASHA].role is Role.CUSTOMER
    assert office.signed_in(ASHA)
    assert office.deeds == []


@pytest.mark.parametrize("password", ["short", "Password1"])
async def test_a_weak_password_makes_no_admin(office: Office, password: str) -> None:
    assert (await refusal(office.create_admin("new@example.in", password))).reason is Reason.PASSWORD_TOO_WEAK
    assert office.deeds == []


async def test_no_admin_is_made_of_an_account_that_is_shut_or_a_services(office: Office) -> None:
    await office.disable(ASHA)
    for email in ("asha@example.in", office.tables.users[WAREHOUSE].email.text):
        assert (await refusal(office.create_admin(email))).reason is Reason.USER_STATE_INVALID
