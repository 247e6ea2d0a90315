"""Logged out is logged out: the use cases on PostgreSQL and a Valkey that is flushed, restarted and stopped."""

import tempfile
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from redis.asyncio import Redis

from kapda.adapters.crypto.jwt_tokens import JwtAccessTokens
from kapda.adapters.crypto.key_ring import KeyRing, SigningKey
from kapda.adapters.crypto.refresh_secrets import RandomRefreshSecrets
from kapda.adapters.embedded.valkey import EmbeddedValkey
from kapda.adapters.postgres.engine import make_engine
from kapda.adapters.postgres.sessions import PostgresSessionReader
from kapda.adapters.postgres.unit_of_work import PostgresUnitOfWork
from kapda.adapters.redis.client import make_client
from kapda.adapters.redis.revoked_tokens import RedisRevokedTokens
from kapda.adapters.system.clock import SystemClock
from kapda.adapters.system.ids import Uuid7Generator
from kapda.domain.identity.use_cases.authenticate import Authenticate, AuthenticateCommand
from kapda.domain.identity.use_cases.log_in import LogIn, LogInCommand
from kapda.domain.identity.use_cases.log_out import LogOut, LogOutCommand
from kapda.domain.identity.use_cases.sign_up import SignUp, SignUpCommand
from kapda.domain.identity.use_cases.token_issuer import TokenIssuer
from kapda.domain.shared.errors import Reason, UnauthenticatedError
from tests.fakes.identity import ListedPasswordStrength, ReadablePasswordHasher

EMAIL, PASSWORD = "asha@example.in", "Kurta-and-9-yards"


@dataclass(frozen=True)
class SignedInTwice:
    """A user with two sessions, and what may be done with them."""

    valkey: EmbeddedValkey
    client: Redis
    authenticate: Authenticate
    log_out: LogOut
    here: AuthenticateCommand
    elsewhere: AuthenticateCommand

    async def log_out_here(self) -> None:
        await self.log_out.execute(LogOutCommand(await self.authenticate.execute(self.here)))

    async def check_that_only_here_is_over(self) -> None:
        # Twice: the first look may find Redis lost and refill it, the second trusts it again.
        for _ in range(2):
            with pytest.raises(UnauthenticatedError) as refusal:
                await self.authenticate.execute(self.here)
            assert refusal.value.reason is Reason.SESSION_REVOKED
            await self.authenticate.execute(self.elsewhere)


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
    log_in = LogIn(unit_of_work, passwords, issuer, ids, clock)
    elsewhere = (await log_in.execute(LogInCommand(EMAIL, PASSWORD))).tokens.access_token

    with tempfile.TemporaryDirectory(prefix="kapda-valkey-") as folder, EmbeddedValkey(Path(folder)) as valkey:
        client = make_client(valkey.url())
        revoked = RedisRevokedTokens(client, lease=0.5, rest=0)
        yield SignedInTwice(
            valkey,
            client,
            Authenticate(tokens, revoked, PostgresSessionReader(engine), clock),
            LogOut(unit_of_work, revoked, clock),
            AuthenticateCommand(here.text),
            AuthenticateCommand(elsewhere.text),
        )
        await client.aclose()
    await engine.dispose()


async def test_a_logged_out_token_stays_refused_through_flush_restart_and_stop(user: SignedInTwice) -> None:
    await user.log_out_here()
    await user.check_that_only_here_is_over()
    await user.client.flushall()
    await user.check_that_only_here_is_over()
    user.valkey.kill()
    user.valkey.start()
    await user.check_that_only_here_is_over()
    user.valkey.stop()
    await user.check_that_only_here_is_over()


async def test_logging_out_while_redis_is_down_holds_when_it_is_back(user: SignedInTwice) -> None:
    await user.authenticate.execute(user.elsewhere)
    user.valkey.stop()
    await user.log_out_here()
    await user.check_that_only_here_is_over()
    user.valkey.start()
    await user.check_that_only_here_is_over()
