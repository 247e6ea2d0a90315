"""The time of an answer tells nothing of an account: measured many times over, and by a measure that does find a leak.

Questions are asked in turn, in an order drawn anew each round, so that a busy machine is busy for all of them; of tries in
a row, where they cost little, the fastest counts, because noise only ever adds. Somebody can tell two questions apart when
the same one is nearly always the slower and their medians differ by more than a quarter. A whole experiment that says so
is repeated: a leak says so every time.
"""

import random
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import combinations, count
from statistics import median
from time import perf_counter
from uuid import uuid4

from kapda.adapters.crypto.argon2_hasher import MEMORY_KIB, PASSES, Argon2PasswordHasher
from kapda.domain.identity.client_network import ClientNetwork
from kapda.domain.identity.password import Password
from kapda.domain.identity.password_ports import PasswordCheck, PasswordHasher
from kapda.domain.identity.session import Contact
from kapda.domain.identity.use_cases.log_in import LogIn, LogInCommand
from kapda.domain.identity.use_cases.request_password_reset import RequestPasswordReset, RequestPasswordResetCommand
from kapda.domain.identity.use_cases.request_unlock import RequestUnlock, RequestUnlockCommand
from kapda.domain.identity.user import EmailAddress
from kapda.domain.shared.errors import DomainError, Reason
from tests.shop.shop import Shop

ROUNDS, TRIES_IN_A_ROW, EXPERIMENTS = 25, 3, 3
NEARLY_ALWAYS, MARGIN = 0.8, 1.25
PASSWORD = "Nine-yards-of-indigo-9"
Question = Callable[[], Awaitable[object]]

_dice = random.Random(11)  # noqa: S311  (an order, no secret)
_numbers = count(1)


@dataclass(frozen=True)
class Measured:
    """Seconds each question took, round by round."""

    seconds: Mapping[str, Sequence[float]]

    def told_apart(self) -> list[tuple[str, str]]:
        """The pairs that somebody who measures can tell apart."""
        return [(one, other) for one, other in combinations(self.seconds, 2) if self._differ(one, other)]

    def _differ(self, one: str, other: str) -> bool:
        slower = sum(a > b for a, b in zip(self.seconds[one], self.seconds[other], strict=True)) / ROUNDS
        ratio = median(self.seconds[one]) / median(self.seconds[other])
        return max(slower, 1 - slower) >= NEARLY_ALWAYS and max(ratio, 1 / ratio) >= MARGIN


async def measure(questions: Mapping[str, Question], in_a_row: int) -> Measured:
    """One experiment."""
    seconds: dict[str, list[float]] = {name: [] for name in questions}
    for name in questions:
        await questions[name]()
    for _ in range(ROUNDS):
        for name in _dice.sample(list(questions), len(questions)):
            tries = []
            for _ in range(in_a_row):
                began = perf_counter()
                await questions[name]()
                tries.append(perf_counter() - began)
            seconds[name].append(min(tries))
    return Measured(seconds)


async def told_apart(questions: Mapping[str, Question], in_a_row: int = TRIES_IN_A_ROW) -> list[tuple[str, str]]:
    """The pairs that every experiment told apart."""
    pairs = (await measure(questions, in_a_row)).told_apart()
    for _ in range(EXPERIMENTS - 1):
        if pairs:
            again = (await measure(questions, in_a_row)).told_apart()
            pairs = [pair for pair in pairs if pair in again]
    return pairs


def elsewhere() -> Contact:
    """A network from which nobody has called."""
    number = next(_numbers)
    return Contact(ClientNetwork(f"10.{number // 250}.{number % 250}.0/24"))


def nobodys() -> str:
    """An address without an account, as long as the others."""
    return f"{uuid4()}@example.com"


class Accounts:
    """Accounts with one password, each used once: what was tried at one must not count at the next question."""

    def __init__(self, emails: Sequence[str]) -> None:
        self._emails = iter(emails)

    def __call__(self) -> str:
        return next(self._emails)


async def accounts(shop: Shop, status: str = "active", password_hash: str = "") -> Accounts:
    """Enough of them for all experiments, at the cost of one hashing."""
    made = await shop.sql(
        """INSERT INTO users (id, email, email_key, display_name, password_hash, role, status, created_at, updated_at)
           SELECT id, email, email, 'Asha', :hash, 'customer', :status, now(), now()
           FROM (SELECT uuidv7() AS id, gen_random_uuid() || '@example.com' AS email
                 FROM generate_series(1, :count)) AS u
           RETURNING email""",
        hash=password_hash or await shop.container.password_hasher().hash(Password(PASSWORD)),
        status=status,
        count=EXPERIMENTS * (ROUNDS * TRIES_IN_A_ROW + 1),
    )
    return Accounts([row["email"] for row in made])


async def refused(log_in: LogIn, email: str, password: str, contact: Contact) -> Reason:
    """The reason of a log-in that must fail."""
    try:
        await log_in.execute(LogInCommand(email, password, contact))
    except DomainError as error:
        return error.reason
    raise AssertionError("somebody got in")


async def log_ins(shop: Shop, log_in: LogIn) -> Mapping[str, Question]:
    """What is answered as if the password were wrong."""
    active, disabled = await accounts(shop), await accounts(shop, "disabled")
    older = await accounts(shop, password_hash=await hash_of_before())

    async def ask(email: str, password: str) -> None:
        assert await refused(log_in, email, password, elsewhere()) is Reason.CREDENTIALS_INVALID

    return {
        "unknown account": lambda: ask(nobodys(), PASSWORD),
        "wrong password": lambda: ask(active(), "guess"),
        "disabled account": lambda: ask(disabled(), PASSWORD),
        "hash of before": lambda: ask(older(), "guess"),
    }


async def hash_of_before() -> str:
    """What an account has that was last signed in to when a hash cost a third of today's."""
    hasher = Argon2PasswordHasher(memory_kib=MEMORY_KIB // 3, passes=PASSES)
    try:
        return await hasher.hash(Password(PASSWORD))
    finally:
        hasher.close()


async def test_unknown_accounts_wrong_passwords_disabled_accounts_and_older_hashes_take_the_same_time(
    shop: Shop,
) -> None:
    assert await told_apart(await log_ins(shop, shop.container.log_in()), in_a_row=1) == []


async def test_locked_and_closed_accounts_take_the_same_time_as_locked_and_closed_addresses_of_nobody(
    shop: Shop,
) -> None:
    log_in, guard = shop.container.log_in(), shop.container.log_in_guard()
    one, shut, home = (await accounts(shop))(), (await accounts(shop, "disabled"))(), elsewhere()
    people = {"active": one, "disabled": shut, "nobody's": nobodys()}
    for email in people.values():
        for contact in [home] * 5 + [elsewhere() for _ in range(20)]:
            await guard.failed(await guard.begin(email, contact.network))

    async def locked(email: str) -> None:
        assert await refused(log_in, email, PASSWORD, home) is Reason.LOG_IN_LOCKED

    async def closed(email: str) -> None:
        assert await refused(log_in, email, PASSWORD, elsewhere()) is Reason.LOG_IN_LINK_NEEDED

    async def pairs(ask: Callable[[str], Awaitable[None]]) -> list[tuple[str, str]]:
        return await told_apart({kind: partial(ask, email) for kind, email in people.items()})

    assert await pairs(locked) == []
    assert await pairs(closed) == []


async def requests(shop: Shop, forgot: "Forgot", unlock: RequestUnlock) -> Mapping[str, Question]:
    """What has a mail sent, perhaps."""
    known, also_known = await accounts(shop), await accounts(shop)
    return {
        "reset, known": lambda: forgot.execute(RequestPasswordResetCommand(known())),
        "reset, unknown": lambda: forgot.execute(RequestPasswordResetCommand(nobodys())),
        "unlock, known": lambda: unlock.execute(RequestUnlockCommand(also_known())),
        "unlock, unknown": lambda: unlock.execute(RequestUnlockCommand(nobodys())),
    }


async def test_asking_for_a_link_takes_the_same_time_with_and_without_an_account(shop: Shop) -> None:
    container = shop.container
    asked = await requests(shop, container.request_password_reset(), container.request_unlock())
    assert await told_apart(asked) == []


class SparingHasher:
    """The mistake of everybody's first log-in: nothing is hashed where there is nothing to compare with."""

    def __init__(self, hasher: PasswordHasher) -> None:
        self._hasher = hasher

    async def hash(self, password: Password) -> str:
        return await self._hasher.hash(password)

    async def check(self, password: Password, password_hash: str | None) -> PasswordCheck:
        return (
            PasswordCheck(is_right=False)
            if password_hash is None
            else await self._hasher.check(password, password_hash)
        )


async def test_a_log_in_that_hashes_only_for_accounts_is_told(shop: Shop) -> None:
    leaky = replace(shop.container.log_in(), passwords=SparingHasher(shop.container.password_hasher()))
    told = await told_apart(await log_ins(shop, leaky), in_a_row=1)
    assert told == [("unknown account", each) for each in ("wrong password", "disabled account", "hash of before")]


@dataclass(frozen=True)
class LookingFirst:
    """The mistake of everybody's first reset: the account is looked up before anything is written."""

    shop: Shop
    forgot: RequestPasswordReset

    async def execute(self, command: RequestPasswordResetCommand) -> None:
        async with self.shop.container.unit_of_work() as uow:
            found = await uow.users.find_by_email(EmailAddress(command.email))
        if found is not None:
            await self.forgot.execute(command)


Forgot = RequestPasswordReset | LookingFirst


async def test_a_reset_that_looks_for_the_account_first_is_told(shop: Shop) -> None:
    leaky = LookingFirst(shop, shop.container.request_password_reset())
    told = await told_apart(await requests(shop, leaky, shop.container.request_unlock()))
    assert ("reset, known", "reset, unknown") in told
    assert ("unlock, known", "unlock, unknown") not in told
