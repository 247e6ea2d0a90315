"""Whoever reads the account's mail may log in again, from where they read it: those who guessed stay shut out."""

from collections.abc import Awaitable
from dataclasses import dataclass, field, replace
from datetime import timedelta

import pytest

from kapda.adapters.crypto.link_tokens import HmacLinkTokens
from kapda.domain.identity.client_network import ClientNetwork
from kapda.domain.identity.mailed_link import LinkPurpose, MailedLink
from kapda.domain.identity.session import Contact
from kapda.domain.identity.use_cases.attempts_under_way import AttemptsUnderWay
from kapda.domain.identity.use_cases.follow_link import FollowLink
from kapda.domain.identity.use_cases.log_in_guard import LogInGuard
from kapda.domain.identity.use_cases.password_changer import PasswordChanger
from kapda.domain.identity.use_cases.request_unlock import RequestUnlock, RequestUnlockCommand
from kapda.domain.identity.use_cases.reset_password import ResetPassword, ResetPasswordCommand
from kapda.domain.identity.use_cases.unlock import Unlock, UnlockCommand
from kapda.domain.identity.user import DisplayName, EmailAddress, User, UserStatus
from kapda.domain.shared.errors import InvalidArgumentError, Reason, ResourceExhaustedError
from kapda.domain.shared.ids import LinkId
from kapda.domain.shared.mails import MailKind
from tests.fakes.identity import (
    CountingIds,
    IdentityTables,
    InMemoryIdentityUnitOfWork,
    InMemoryRevokedTokens,
    InMemoryUsers,
    ListedPasswordStrength,
    ReadablePasswordHasher,
)
from tests.fakes.log_ins import InMemoryLogInAttempts, InMemoryLogInCounters, ReadableDigests
from tests.fakes.samples import ASHA

TOKENS = HmacLinkTokens(bytes(range(32)))
UNLOCK = LinkPurpose.UNLOCK
EMAIL, NEW = "asha@example.in", "Saree-and-6-yards"
HOTEL, STRANGER = ClientNetwork("203.0.113.0/24"), ClientNetwork("198.51.100.0/24")
GUESSERS = [ClientNetwork(f"10.0.{number}.0/24") for number in range(25)]


@dataclass
class Door:
    """Asha's account, its guard, and what a mailed link does."""

    tables: IdentityTables = field(default_factory=IdentityTables)

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
        links = FollowLink(TOKENS, self.clock)
        changer = PasswordChanger(ReadablePasswordHasher(), ListedPasswordStrength(), self.ids, self.clock)
        self.unlock = Unlock(self.unit_of_work, links, self.guard, self.clock)
        self.reset = ResetPassword(self.unit_of_work, links, changer, self.guard, InMemoryRevokedTokens(), self.clock)
        now = self.clock.now()
        self.tables.users[ASHA] = User.signed_up(ASHA, EmailAddress(EMAIL), DisplayName("Asha"), "1:Old", now)

    def unit_of_work(self) -> InMemoryIdentityUnitOfWork:
        return InMemoryIdentityUnitOfWork(self.tables)

    async def link(self, purpose: LinkPurpose = UNLOCK) -> str:
        token = TOKENS.token_for(LinkId(self.ids.new()), purpose)
        async with self.unit_of_work() as uow:
            await uow.mailed_links.add(MailedLink.made(token, purpose, ASHA, EMAIL, self.clock.now()))
            await uow.commit()
        return token.text

    async def guess(self, *networks: ClientNetwork) -> None:
        for network in networks:
            await self.guard.failed(await self.guard.begin(EMAIL, network))

    async def gate(self, network: ClientNetwork) -> Reason | None:
        """Why a log-in from there is not looked at; None if it is."""
        try:
            await self.guard.withdrawn(await self.guard.begin(EMAIL, network))
        except ResourceExhaustedError as refusal:
            return refusal.reason
        return None


@pytest.fixture(params=["counters", "rows"])
def door(request: pytest.FixtureRequest) -> Door:
    door = Door()
    door.counters.reachable = request.param == "counters"
    return door


async def refused(call: Awaitable[None]) -> None:
    with pytest.raises(InvalidArgumentError) as refusal:
        await call
    assert refusal.value.reason is Reason.LINK_INVALID


async def test_a_link_opens_a_closed_account_where_it_is_followed_and_nowhere_else(door: Door) -> None:
    await door.guess(*GUESSERS)
    assert await door.gate(HOTEL) is Reason.LOG_IN_LINK_NEEDED
    await door.unlock.execute(UnlockCommand(await door.link(), Contact(HOTEL)))
    assert await door.gate(HOTEL) is None
    for network in (STRANGER, *GUESSERS):
        assert await door.gate(network) is Reason.LOG_IN_LINK_NEEDED


async def test_a_link_ends_the_lock_of_the_network_where_it_is_followed_and_of_no_other(door: Door) -> None:
    await door.guess(*[HOTEL] * 5, *[STRANGER] * 5)
    assert await door.gate(HOTEL) is Reason.LOG_IN_LOCKED
    await door.unlock.execute(UnlockCommand(await door.link(), Contact(HOTEL)))
    assert await door.gate(HOTEL) is None
    assert await door.gate(STRANGER) is Reason.LOG_IN_LOCKED


async def test_after_a_link_five_more_wrong_passwords_lock_again(door: Door) -> None:
    await door.guess(*GUESSERS)
    await door.unlock.execute(UnlockCommand(await door.link(), Contact(HOTEL)))
    await door.guess(*[HOTEL] * 5)
    assert await door.gate(HOTEL) is Reason.LOG_IN_LOCKED


async def test_what_a_link_opened_outlives_the_loss_of_the_counters() -> None:
    door = Door()
    await door.guess(*GUESSERS)
    await door.unlock.execute(UnlockCommand(await door.link(), Contact(HOTEL)))
    door.counters.lose_everything()
    assert await door.gate(HOTEL) is None
    assert await door.gate(STRANGER) is Reason.LOG_IN_LINK_NEEDED


async def test_a_new_password_by_a_mailed_link_opens_the_account_there_too(door: Door) -> None:
    await door.guess(*GUESSERS)
    link = await door.link(LinkPurpose.RESET_PASSWORD)
    await door.reset.execute(ResetPasswordCommand(link, NEW, Contact(HOTEL)))
    assert await door.gate(HOTEL) is None
    assert await door.gate(STRANGER) is Reason.LOG_IN_LINK_NEEDED


async def test_a_link_that_does_not_work_opens_nothing(door: Door) -> None:
    await door.guess(*GUESSERS)
    here = Contact(HOTEL)
    used = await door.link()
    await door.unlock.execute(UnlockCommand(used, Contact(STRANGER)))
    await refused(door.unlock.execute(UnlockCommand(used, here)))
    replaced, newest = await door.link(), await door.link()
    await refused(door.unlock.execute(UnlockCommand(replaced, here)))
    await refused(door.unlock.execute(UnlockCommand("no link of ours", here)))
    await refused(door.unlock.execute(UnlockCommand(await door.link(LinkPurpose.CONFIRM_EMAIL), here)))
    await refused(door.reset.execute(ResetPasswordCommand(newest, NEW, here)))
    door.clock.advance(timedelta(minutes=59))
    await door.guess(*[STRANGER] * 5)
    door.clock.advance(timedelta(minutes=1))
    await refused(door.unlock.execute(UnlockCommand(newest, here)))
    assert (ASHA, HOTEL) not in door.tables.known_networks


@pytest.mark.parametrize("change", [{"status": UserStatus.DISABLED}, {"email": EmailAddress("other@example.in")}])
async def test_a_link_opens_neither_a_shut_account_nor_one_that_left_the_address(
    door: Door, change: dict[str, object]
) -> None:
    link = await door.link()
    asha = door.tables.users[ASHA]
    door.tables.users[ASHA] = replace(asha, **change)  # type: ignore[arg-type]
    await refused(door.unlock.execute(UnlockCommand(link, Contact(HOTEL))))
    door.tables.users[ASHA] = asha
    await door.unlock.execute(UnlockCommand(link, Contact(HOTEL)))


@pytest.mark.parametrize("email", [EMAIL, "nobody@example.in"])
async def test_asking_for_a_link_queues_a_mail_without_looking_at_any_account(door: Door, email: str) -> None:
    request = RequestUnlock(lambda: OnlyMails(door.tables), door.ids, door.clock)
    await request.execute(RequestUnlockCommand(email))
    (row,) = door.tables.mails.values()
    assert (row.mail.kind, row.mail.address, row.mail.user_id) == (MailKind.UNLOCK, email, None)


async def test_what_is_no_address_is_asked_for_in_vain(door: Door) -> None:
    request = RequestUnlock(door.unit_of_work, door.ids, door.clock)
    with pytest.raises(InvalidArgumentError):
        await request.execute(RequestUnlockCommand("no address"))
    assert door.tables.mails == {}


class OnlyMails(InMemoryIdentityUnitOfWork):
    """A unit of work in which neither accounts nor attempts can be looked at."""

    @property
    def users(self) -> InMemoryUsers:
        raise AssertionError("an account was looked at")

    @property
    def log_in_attempts(self) -> InMemoryLogInAttempts:
        raise AssertionError("the attempts were looked at")
