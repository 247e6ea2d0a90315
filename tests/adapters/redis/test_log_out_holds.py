"""Ended is ended: the use cases on PostgreSQL and a Valkey that is flushed, evicts, is restarted, set back and stopped."""

import asyncio
import socket
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from redis import RedisError
from redis.asyncio import Redis

from kapda.adapters.crypto.jwt_tokens import JwtAccessTokens
from kapda.adapters.crypto.key_ring import KeyRing, SigningKey
from kapda.adapters.crypto.refresh_secrets import RandomRefreshSecrets
from kapda.adapters.embedded.valkey import EmbeddedValkey
from kapda.adapters.postgres.engine import make_engine
from kapda.adapters.postgres.sessions import PostgresSessionReader
from kapda.adapters.postgres.unit_of_work import PostgresUnitOfWork
from kapda.adapters.redis.client import make_client
from kapda.adapters.redis.revoked_tokens import KEY, RedisRevokedTokens
from kapda.adapters.system.clock import SystemClock
from kapda.adapters.system.ids import Uuid7Generator
from kapda.domain.identity.principal import Principal
from kapda.domain.identity.use_cases.authenticate import Authenticate, AuthenticateCommand
from kapda.domain.identity.use_cases.change_password import ChangePassword, ChangePasswordCommand
from kapda.domain.identity.use_cases.log_in import LogIn, LogInCommand
from kapda.domain.identity.use_cases.log_out import LogOut, LogOutCommand
from kapda.domain.identity.use_cases.log_out_everywhere import LogOutEverywhere, LogOutEverywhereCommand
from kapda.domain.identity.use_cases.password_changer import PasswordChanger
from kapda.domain.identity.use_cases.password_confirmation import PasswordConfirmation
from kapda.domain.identity.use_cases.sign_up import SignUp, SignUpCommand
from kapda.domain.identity.use_cases.token_issuer import TokenIssuer
from kapda.domain.shared.errors import Reason, UnauthenticatedError, UnavailableError
from tests.fakes.identity import ListedPasswordStrength, ReadablePasswordHasher
from tests.fakes.log_ins import open_guard
from tests.waiting import until

EMAIL, PASSWORD = "asha@example.in", "Kurta-and-9-yards"
LEASE = 0.5


@dataclass(frozen=True)
class SignedInTwice:
    """A user with two sessions, and what may be done with them."""

    valkey: EmbeddedValkey
    client: Redis
    unit_of_work: Callable[[], PostgresUnitOfWork]
    tokens: JwtAccessTokens
    revoked: RedisRevokedTokens
    authenticate: Authenticate
    log_in: LogIn
    here: AuthenticateCommand
    elsewhere: AuthenticateCommand

    async def signs_in(self) -> AuthenticateCommand:
        tokens = (await self.log_in.execute(LogInCommand(EMAIL, PASSWORD))).tokens
        return AuthenticateCommand(tokens.access_token.text)

    def principal(self, which: AuthenticateCommand) -> Principal:
        return self.tokens.verify(which.access_token).principal

    async def check_that_only_here_is_over(self) -> None:
        # Twice: the first look may find Redis lost and refill it, the second trusts it again.
        for _ in range(2):
            await self.check_refused(self.here)
            await self.authenticate.execute(self.elsewhere)

    async def check_refused(self, command: AuthenticateCommand) -> None:
        with pytest.raises(UnauthenticatedError) as refusal:
            await self.authenticate.execute(command)
        assert refusal.value.reason is Reason.SESSION_REVOKED

    async def starts_valkey_again(self) -> None:
        self.valkey.start()
        await until(self._valkey_answers)

    async def _valkey_answers(self) -> bool:
        try:
            return bool(await self.client.ping())
        except RedisError:
            return False


@pytest.fixture
async def user(database_url: str) -> AsyncIterator[SignedInTwice]:
    engine = make_engine(database_url)
    clock, ids, passwords = SystemClock(), Uuid7Generator(), ReadablePasswordHasher()
    tokens = JwtAccessTokens(KeyRing(SigningKey("k1", b"k" * 32)), issuer="kapda", audience="kapda.api", clock=clock)
    issuer = TokenIssuer(tokens, RandomRefreshSecrets(), ids)

    def unit_of_work() -> PostgresUnitOfWork:
        return PostgresUnitOfWork(engine)

    sign_up = SignUp(unit_of_work, passwords, ListedPasswordStrength(), issuer, ids, clock)
    here = (await sign_up.execute(SignUpCommand(EMAIL, PASSWORD, "Asha"))).tokens.access_token
    log_in = LogIn(unit_of_work, open_guard(unit_of_work, ids, clock), passwords, issuer, ids, clock)
    elsewhere = (await log_in.execute(LogInCommand(EMAIL, PASSWORD))).tokens.access_token

    with tempfile.TemporaryDirectory(prefix="kapda-valkey-") as folder, EmbeddedValkey(Path(folder)) as valkey:
        client = make_client(valkey.url())
        revoked = RedisRevokedTokens(client, lease=LEASE, rest=0)
        yield SignedInTwice(
            valkey,
            client,
            unit_of_work,
            tokens,
            revoked,
            Authenticate(tokens, revoked, PostgresSessionReader(engine), clock),
            log_in,
            AuthenticateCommand(here.text),
            AuthenticateCommand(elsewhere.text),
        )
        await client.aclose()
    await engine.dispose()


async def log_out(user: SignedInTwice) -> None:
    await LogOut(user.unit_of_work, user.revoked, SystemClock()).execute(LogOutCommand(user.principal(user.here)))


async def log_out_everywhere_else(user: SignedInTwice) -> None:
    command = LogOutEverywhereCommand(user.principal(user.elsewhere), keep_current=True)
    await LogOutEverywhere(user.unit_of_work, user.revoked, SystemClock()).execute(command)


async def change_the_password(user: SignedInTwice) -> None:
    """From the other session, which goes on."""
    clock, ids, passwords = SystemClock(), Uuid7Generator(), ReadablePasswordHasher()
    confirmation = PasswordConfirmation(user.unit_of_work, open_guard(user.unit_of_work, ids, clock), passwords)
    changer = PasswordChanger(passwords, ListedPasswordStrength(), ids, clock)
    change = ChangePassword(user.unit_of_work, confirmation, changer, user.revoked)
    await change.execute(ChangePasswordCommand(user.principal(user.elsewhere), PASSWORD, "Saree-and-6-yards"))


ENDS = pytest.mark.parametrize("end", [log_out, log_out_everywhere_else, change_the_password])
End = Callable[[SignedInTwice], Awaitable[None]]


@ENDS
async def test_the_token_of_an_ended_session_stays_refused_through_flush_restart_and_stop(
    user: SignedInTwice, end: End
) -> None:
    await end(user)
    await user.check_that_only_here_is_over()
    await user.client.flushall()
    await user.check_that_only_here_is_over()
    user.valkey.kill()
    user.valkey.start()
    await user.check_that_only_here_is_over()
    user.valkey.stop()
    await user.check_that_only_here_is_over()


@ENDS
async def test_an_end_while_redis_is_down_holds_when_it_is_back(user: SignedInTwice, end: End) -> None:
    await user.authenticate.execute(user.elsewhere)
    user.valkey.stop()
    await end(user)
    await user.check_that_only_here_is_over()
    user.valkey.start()
    await user.check_that_only_here_is_over()


@ENDS
async def test_a_redis_set_back_to_an_older_snapshot_brings_nobody_back(user: SignedInTwice, end: End) -> None:
    await user.authenticate.execute(user.elsewhere)
    await user.authenticate.execute(user.here)
    await user.client.set("marker", "of the snapshot")
    await user.client.save()
    await end(user)
    user.valkey.kill()
    await user.starts_valkey_again()
    assert await user.client.get("marker") == "of the snapshot", "the snapshot was not read back"
    await user.check_that_only_here_is_over()


async def test_a_redis_that_evicts_against_the_advice_lets_nobody_in(user: SignedInTwice) -> None:
    await log_out(user)
    await user.check_that_only_here_is_over()
    used = int((await user.client.info("memory"))["used_memory"])
    await user.client.config_set("maxmemory-policy", "allkeys-random")
    await user.client.config_set("maxmemory", used + 200_000)
    evicted = 0
    async with asyncio.timeout(30):
        while evicted < 3:
            for number in range(50):
                await user.client.set(f"page:{number}", "x" * 10_000)
            evicted += not await user.client.exists(KEY)
            await user.check_that_only_here_is_over()


async def test_fifty_sessions_end_together_whether_or_not_redis_can_be_told(user: SignedInTwice) -> None:
    for redis_is_up in (True, False):
        devices = [await user.signs_in() for _ in range(50)]
        await user.authenticate.execute(user.elsewhere)
        if not redis_is_up:
            user.valkey.stop()
        began = time.monotonic()
        await log_out_everywhere_else(user)
        # One wait for all of them: fifty would take half a minute.
        assert time.monotonic() - began < 10 * LEASE
        for device in devices:
            await user.check_refused(device)
        await user.authenticate.execute(user.elsewhere)


async def test_a_log_out_that_the_database_did_not_take_is_not_answered_as_one(user: SignedInTwice) -> None:
    with socket.socket() as taken_and_deaf:
        taken_and_deaf.bind(("127.0.0.1", 0))
        dead = make_engine(f"postgresql://nobody@127.0.0.1:{taken_and_deaf.getsockname()[1]}/kapda")
        attempt = LogOut(lambda: PostgresUnitOfWork(dead), user.revoked, SystemClock())
        with pytest.raises(UnavailableError) as refusal:
            await attempt.execute(LogOutCommand(user.principal(user.here)))
        assert refusal.value.reason is Reason.DATABASE_UNAVAILABLE
        # Nothing has happened: the session goes on until the log-out is told again.
        await user.authenticate.execute(user.here)
        await log_out(user)
        user.valkey.stop()
        blind = Authenticate(user.tokens, user.revoked, PostgresSessionReader(dead), SystemClock())
        with pytest.raises(UnavailableError):
            await blind.execute(user.elsewhere)
        await dead.dispose()
    await user.check_that_only_here_is_over()
