"""A password changes for whoever knows the old one or reads the account's mail, and every other session ends."""

from collections.abc import Awaitable
from dataclasses import dataclass, field, replace
from datetime import timedelta
from uuid import UUID

import pytest

from kapda.adapters.crypto.link_tokens import HmacLinkTokens
from kapda.domain.identity.client_network import ClientNetwork
from kapda.domain.identity.mailed_link import LinkPurpose, LinkToken, MailedLink
from kapda.domain.identity.principal import Principal
from kapda.domain.identity.session import Contact, Session
from kapda.domain.identity.use_cases.attempts_under_way import AttemptsUnderWay
from kapda.domain.identity.use_cases.change_password import ChangePassword, ChangePasswordCommand
from kapda.domain.identity.use_cases.confirm_email import ConfirmEmail, ConfirmEmailCommand
from kapda.domain.identity.use_cases.follow_link import FollowLink
from kapda.domain.identity.use_cases.log_in_guard import LogInGuard
from kapda.domain.identity.use_cases.password_changer import PasswordChanger
from kapda.domain.identity.use_cases.password_confirmation import PasswordConfirmation
from kapda.domain.identity.use_cases.request_email_confirmation import (
    RequestEmailConfirmation,
    RequestEmailConfirmationCommand,
)
from kapda.domain.identity.use_cases.request_password_reset import RequestPasswordReset, RequestPasswordResetCommand
from kapda.domain.identity.use_cases.reset_password import ResetPassword, ResetPasswordCommand
from kapda.domain.identity.user import DisplayName, EmailAddress, Role, User, UserStatus
from kapda.domain.shared.errors import (
    DomainError,
    InvalidArgumentError,
    Reason,
    ResourceExhaustedError,
    UnauthenticatedError,
)
from kapda.domain.shared.ids import LinkId, SessionId, UserId
from kapda.domain.shared.mails import MailKind
from tests.fakes.identity import (
    CountingIds,
    IdentityTables,
    InMemoryIdentityUnitOfWork,
    InMemoryRevokedTokens,
    ListedPasswordStrength,
    ReadablePasswordHasher,
    SettableClock,
)
from tests.fakes.log_ins import InMemoryLogInCounters, ReadableDigests
from tests.fakes.samples import ASHA, NOON

TOKENS = HmacLinkTokens(bytes(range(32)))
RESET, CONFIRM = LinkPurpose.RESET_PASSWORD, LinkPurpose.CONFIRM_EMAIL
OLD, NEW = "Kurta-and-9-yards", "Saree-and-6-yards"
MINE, OTHER = SessionId(UUID(int=1)), SessionId(UUID(int=2))


@dataclass
class House:
    """Asha with two sessions, and everything about passwords."""

    tables: IdentityTables = field(default_factory=IdentityTables)
    clock: SettableClock = field(default_factory=lambda: SettableClock(NOON))
    ids: CountingIds = field(default_factory=lambda: CountingIds(100))
    passwords: ReadablePasswordHasher = field(default_factory=ReadablePasswordHasher)
    revoked: InMemoryRevokedTokens = field(default_factory=InMemoryRevokedTokens)

    def __post_init__(self) -> None:
        asha = User.signed_up(ASHA, EmailAddress("asha@example.in"), DisplayName("Asha"), f"1:{OLD}", NOON)
        self.tables.users[ASHA] = asha
        for session_id in (MINE, OTHER):
            self.tables.sessions[session_id] = Session.start(session_id, ASHA, NOON)
        self.principal = Principal(ASHA, asha.role, MINE)
        changer = PasswordChanger(self.passwords, ListedPasswordStrength(), self.ids, self.clock)
        links = FollowLink(TOKENS, self.clock)
        guard = LogInGuard(
            self.unit_of_work,
            self.unit_of_work,
            InMemoryLogInCounters(self.tables.clock),
            AttemptsUnderWay(),
            ReadableDigests(),
            self.ids,
            self.clock,
        )
        self.guard = guard
        confirmation = PasswordConfirmation(self.unit_of_work, guard, self.passwords)
        self.change = ChangePassword(self.unit_of_work, confirmation, changer, self.revoked)
        self.reset = ResetPassword(self.unit_of_work, links, changer, guard, self.revoked, self.clock)
        self.confirm = ConfirmEmail(self.unit_of_work, links, self.clock)
        self.forgot = RequestPasswordReset(self.unit_of_work, self.ids, self.clock)
        self.ask = RequestEmailConfirmation(self.unit_of_work, self.ids, self.clock)

    def unit_of_work(self) -> InMemoryIdentityUnitOfWork:
        return InMemoryIdentityUnitOfWork(self.tables)

    @property
    def asha(self) -> User:
        return self.tables.users[ASHA]

    @property
    def is_confirmed(self) -> bool:
        return self.asha.email_confirmed_at is not None

    @property
    def alive(self) -> set[SessionId]:
        now = self.clock.now()
        return {session_id for session_id, session in self.tables.sessions.items() if session.is_active(now)}

    @property
    def mailed(self) -> list[MailKind]:
        return [row.mail.kind for row in self.tables.mails.values()]

    async def link(self, purpose: LinkPurpose = RESET, email: str = "asha@example.in") -> LinkToken:
        token = TOKENS.token_for(LinkId(self.ids.new()), purpose)
        async with self.unit_of_work() as uow:
            await uow.mailed_links.add(MailedLink.made(token, purpose, ASHA, email, self.clock.now()))
            await uow.commit()
        return token


@pytest.fixture
def house() -> House:
    return House()


async def refused(call: Awaitable[None], kind: type[DomainError], reason: Reason) -> None:
    with pytest.raises(kind) as refusal:
        await call
    assert refusal.value.reason is reason


async def test_a_change_keeps_the_callers_session_ends_the_others_and_is_told_by_mail(house: House) -> None:
    link = await house.link()
    await house.change.execute(ChangePasswordCommand(house.principal, OLD, NEW))
    assert house.asha.password_hash == f"1:{NEW}"
    assert house.alive == {MINE}
    assert house.revoked.entries == {OTHER}
    assert house.mailed == [MailKind.PASSWORD_CHANGED]
    await refused(house.reset.execute(ResetPasswordCommand(link.text, NEW)), InvalidArgumentError, Reason.LINK_INVALID)


async def test_a_wrong_old_password_or_a_weak_new_one_changes_nothing(house: House) -> None:
    wrong = ChangePasswordCommand(house.principal, "Not-the-0ne", NEW)
    await refused(house.change.execute(wrong), UnauthenticatedError, Reason.CREDENTIALS_INVALID)
    for weak in ("short", "Password1"):
        command = ChangePasswordCommand(house.principal, OLD, weak)
        await refused(house.change.execute(command), InvalidArgumentError, Reason.PASSWORD_TOO_WEAK)
    assert (house.asha.password_hash, house.alive, house.mailed) == (f"1:{OLD}", {MINE, OTHER}, [])


async def test_wrong_old_passwords_count_like_those_at_a_log_in(house: House) -> None:
    here, elsewhere = Contact(ClientNetwork("203.0.113.0/24")), Contact(ClientNetwork("198.51.100.0/24"))
    await house.guard.failed(await house.guard.begin("Asha@example.in", here.network))
    wrong = ChangePasswordCommand(house.principal, "Not-the-0ne", NEW, here)
    for _ in range(4):
        await refused(house.change.execute(wrong), UnauthenticatedError, Reason.CREDENTIALS_INVALID)
    right = ChangePasswordCommand(house.principal, OLD, NEW, here)
    await refused(house.change.execute(right), ResourceExhaustedError, Reason.LOG_IN_LOCKED)
    with pytest.raises(ResourceExhaustedError):
        await house.guard.begin("asha@example.in", here.network)
    assert house.asha.password_hash == f"1:{OLD}"
    await house.change.execute(replace(right, contact=elsewhere))
    assert house.asha.password_hash == f"1:{NEW}"


async def test_a_right_old_password_with_a_weak_new_one_is_no_failure_and_a_change_forgets_those_before(
    house: House,
) -> None:
    for _ in range(6):
        weak = ChangePasswordCommand(house.principal, OLD, "Password1")
        await refused(house.change.execute(weak), InvalidArgumentError, Reason.PASSWORD_TOO_WEAK)
    for old, new in ((OLD, NEW), (NEW, OLD)):
        wrong = ChangePasswordCommand(house.principal, "Not-the-0ne", new)
        for _ in range(4):
            await refused(house.change.execute(wrong), UnauthenticatedError, Reason.CREDENTIALS_INVALID)
        await house.change.execute(ChangePasswordCommand(house.principal, old, new))


async def test_a_reset_ends_every_session_confirms_the_address_and_works_once(house: House) -> None:
    link = await house.link()
    await house.reset.execute(ResetPasswordCommand(link.text, NEW))
    assert (house.asha.password_hash, house.asha.email_confirmed_at) == (f"1:{NEW}", NOON)
    assert house.alive == set()
    assert house.revoked.entries == {MINE, OTHER}
    assert house.mailed == [MailKind.PASSWORD_CHANGED]
    again = ResetPasswordCommand(link.text, "Dhoti-and-4-yards")
    await refused(house.reset.execute(again), InvalidArgumentError, Reason.LINK_INVALID)
    assert house.asha.password_hash == f"1:{NEW}"


async def test_a_weak_password_leaves_the_link_as_it_was(house: House) -> None:
    link = await house.link()
    weak = ResetPasswordCommand(link.text, "Password1")
    await refused(house.reset.execute(weak), InvalidArgumentError, Reason.PASSWORD_TOO_WEAK)
    await house.reset.execute(ResetPasswordCommand(link.text, NEW))


async def test_a_link_that_is_expired_replaced_altered_or_of_another_purpose_does_nothing(house: House) -> None:
    older = await house.link()
    newer = await house.link()
    confirming = await house.link(CONFIRM)
    altered = ("A" if newer.text[-1] != "A" else "B").join([newer.text[:-1], ""])
    texts = [older.text, confirming.text, altered, newer.text[:-1], newer.text + "=", "", "ü" * 64]
    for text in texts:
        command = ResetPasswordCommand(text, NEW)
        await refused(house.reset.execute(command), InvalidArgumentError, Reason.LINK_INVALID)
    house.clock.advance(timedelta(hours=1))
    late = ResetPasswordCommand(newer.text, NEW)
    await refused(house.reset.execute(late), InvalidArgumentError, Reason.LINK_INVALID)
    assert house.asha.password_hash == f"1:{OLD}"


async def test_a_link_of_a_shut_account_or_of_an_address_that_was_left_does_nothing(house: House) -> None:
    left = await house.link(email="asha.old@example.in")
    command = ResetPasswordCommand(left.text, NEW)
    await refused(house.reset.execute(command), InvalidArgumentError, Reason.LINK_INVALID)
    link = await house.link()
    house.asha.status = UserStatus.DISABLED
    command = ResetPasswordCommand(link.text, NEW)
    await refused(house.reset.execute(command), InvalidArgumentError, Reason.LINK_INVALID)


async def test_asking_for_a_reset_does_the_same_whether_or_not_there_is_an_account(house: House) -> None:
    for number, address in enumerate(("asha@example.in", "nobody@example.in"), 1):
        await house.forgot.execute(RequestPasswordResetCommand(address))
        assert house.mailed == [MailKind.RESET_PASSWORD] * number
    known, unknown = (row.mail for row in house.tables.mails.values())
    assert (known.user_id, unknown.user_id) == (None, None)
    assert house.tables.mailed_links == {}
    assert house.passwords.checked == []


async def test_an_address_is_confirmed_by_its_own_link_for_a_day(house: House) -> None:
    await house.ask.execute(RequestEmailConfirmationCommand(house.principal))
    assert house.mailed == [MailKind.CONFIRM_EMAIL]
    reset = await house.link()
    await refused(
        house.confirm.execute(ConfirmEmailCommand(house.principal, reset.text)),
        InvalidArgumentError,
        Reason.LINK_INVALID,
    )
    link = await house.link(CONFIRM)
    house.clock.advance(timedelta(hours=23, minutes=59))
    await house.confirm.execute(ConfirmEmailCommand(house.principal, link.text))
    assert house.asha.email_confirmed_at == house.clock.now()
    await refused(
        house.confirm.execute(ConfirmEmailCommand(house.principal, link.text)),
        InvalidArgumentError,
        Reason.LINK_INVALID,
    )


# Who reads the mail of Asha's address, and has an account of their own.
READER = Principal(UserId(UUID(int=99)), Role.CUSTOMER, SessionId(UUID(int=98)))


async def test_whoever_reads_the_mail_vouches_for_no_password_of_a_stranger(house: House) -> None:
    link = await house.link(CONFIRM)
    by_reader = house.confirm.execute(ConfirmEmailCommand(READER, link.text))
    await refused(by_reader, InvalidArgumentError, Reason.LINK_INVALID)
    assert not house.is_confirmed
    # The reader takes the account over by a reset, and the stranger is out.
    await house.reset.execute(ResetPasswordCommand((await house.link()).text, NEW))
    assert house.alive == set()
    assert house.asha.password_hash == f"1:{NEW}"
    assert house.is_confirmed


async def test_a_link_that_somebody_else_followed_still_works_for_its_owner(house: House) -> None:
    link = await house.link(CONFIRM)
    by_reader = house.confirm.execute(ConfirmEmailCommand(READER, link.text))
    await refused(by_reader, InvalidArgumentError, Reason.LINK_INVALID)
    await house.confirm.execute(ConfirmEmailCommand(house.principal, link.text))
    assert house.asha.email_confirmed_at == house.clock.now()
