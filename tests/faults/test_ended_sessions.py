"""Ended is ended, in whichever way: on PostgreSQL and a Valkey that is flushed, evicts, is restarted, set back, stopped."""

import asyncio
import socket
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest
from dependency_injector import providers
from redis import RedisError
from redis.asyncio import Redis

from kapda.adapters.embedded.valkey import EmbeddedValkey
from kapda.adapters.postgres.engine import make_engine
from kapda.adapters.postgres.sessions import PostgresSessionReader
from kapda.adapters.postgres.unit_of_work import PostgresUnitOfWork
from kapda.adapters.redis.revoked_tokens import KEY, RedisRevokedTokens
from kapda.domain.identity.refresh import SessionTokens
from kapda.domain.identity.use_cases.authenticate import Authenticate, AuthenticateCommand
from kapda.domain.identity.use_cases.log_out import LogOut, LogOutCommand
from kapda.domain.shared.errors import Reason, UnauthenticatedError, UnavailableError
from tests.shop.devices import Device, sign_in
from tests.shop.session_ends import ENDS, End, log_out, log_out_everywhere_else, somebody
from tests.shop.shop import Shop, open_shop
from tests.waiting import until

LEASE = 0.5
PROCESSES = 2
each_end = pytest.mark.parametrize("end", ENDS, ids=str)


@dataclass(frozen=True)
class SignedIn:
    """A user with two devices, and a neighbour with one, in a shop of two processes with a Valkey of its own."""

    shop: Shop
    valkey: EmbeddedValkey
    here: Device
    elsewhere: Device
    neighbour: Device

    @property
    def client(self) -> Redis:
        return self.shop.container.redis()

    async def ends(self, end: End) -> None:
        """The end of `here`'s session."""
        await end.make(self.shop, self.here, self.elsewhere)

    async def check(self, end: End) -> None:
        """The first tokens of whatever session was ended are refused by every process, and nobody else's."""
        over = [self.here] if end.spares_elsewhere else [self.here, self.elsewhere]
        living = [self.neighbour, self.elsewhere] if end.spares_elsewhere else [self.neighbour]
        # Twice: the first look may find Redis lost and refill it, the second trusts it again.
        for _ in range(2):
            await self.check_refused(over)
            await self.check_let_in(living)
        for device in over:
            with pytest.raises(UnauthenticatedError) as refusal:
                await device.refresh()
            assert refusal.value.reason is Reason.SESSION_REVOKED

    async def check_refused(self, devices: Sequence[Device]) -> None:
        for container in self.shop.containers:
            for device in devices:
                with pytest.raises(UnauthenticatedError) as refusal:
                    await container.authenticate().execute(_call(device.tokens))
                assert refusal.value.reason is Reason.SESSION_REVOKED

    async def check_let_in(self, devices: Sequence[Device]) -> None:
        for container in self.shop.containers:
            for device in devices:
                await container.authenticate().execute(_call(device.tokens))

    async def valkey_answers(self) -> bool:
        try:
            return bool(await self.client.ping())
        except RedisError:
            return False


def _call(tokens: SessionTokens) -> AuthenticateCommand:
    return AuthenticateCommand(tokens.access_token.text)


@pytest.fixture
async def signed_in(database_url: str) -> AsyncIterator[SignedIn]:
    with tempfile.TemporaryDirectory(prefix="kapda-valkey-") as folder, EmbeddedValkey(Path(folder)) as valkey:
        async with open_shop(database_url, valkey.url(), PROCESSES) as shop:
            for container in shop.containers:
                revoked = RedisRevokedTokens(container.redis(), lease=LEASE, rest=0)
                container.revoked_tokens.override(providers.Object(revoked))
            user, neighbour = await somebody(shop), await somebody(shop)
            here, elsewhere = await sign_in(shop, user), await sign_in(shop, user)
            yield SignedIn(shop, valkey, here, elsewhere, await sign_in(shop, neighbour))


@each_end
async def test_the_token_of_an_ended_session_stays_refused_through_flush_restart_and_stop(
    signed_in: SignedIn, end: End
) -> None:
    await signed_in.check_let_in([signed_in.here, signed_in.elsewhere, signed_in.neighbour])
    await signed_in.ends(end)
    await signed_in.check(end)
    await signed_in.client.flushall()
    await signed_in.check(end)
    signed_in.valkey.kill()
    signed_in.valkey.start()
    await signed_in.check(end)
    signed_in.valkey.stop()
    await signed_in.check(end)


@each_end
async def test_an_end_while_redis_is_down_holds_when_it_is_back(signed_in: SignedIn, end: End) -> None:
    await signed_in.check_let_in([signed_in.here, signed_in.elsewhere, signed_in.neighbour])
    signed_in.valkey.stop()
    await signed_in.ends(end)
    await signed_in.check(end)
    signed_in.valkey.start()
    await until(signed_in.valkey_answers)
    await signed_in.check(end)


@each_end
async def test_a_redis_set_back_to_an_older_snapshot_brings_nobody_back(signed_in: SignedIn, end: End) -> None:
    await signed_in.check_let_in([signed_in.here, signed_in.elsewhere, signed_in.neighbour])
    await signed_in.client.set("marker", "of the snapshot")
    await signed_in.client.save()
    await signed_in.ends(end)
    signed_in.valkey.kill()
    signed_in.valkey.start()
    await until(signed_in.valkey_answers)
    assert await signed_in.client.get("marker") == "of the snapshot", "the snapshot was not read back"
    await signed_in.check(end)


async def test_a_redis_that_evicts_against_the_advice_lets_nobody_in(signed_in: SignedIn) -> None:
    end = End(log_out, spares_elsewhere=True)
    await signed_in.ends(end)
    await signed_in.check(end)
    used = int((await signed_in.client.info("memory"))["used_memory"])
    await signed_in.client.config_set("maxmemory-policy", "allkeys-random")
    await signed_in.client.config_set("maxmemory", used + 200_000)
    evicted = 0
    async with asyncio.timeout(30):
        while evicted < 3:
            for number in range(50):
                await signed_in.client.set(f"page:{number}", "x" * 10_000)
            evicted += not await signed_in.client.exists(KEY)
            await signed_in.check(end)


async def test_fifty_sessions_end_together_whether_or_not_redis_can_be_told(signed_in: SignedIn) -> None:
    for redis_is_up in (True, False):
        devices = [await sign_in(signed_in.shop, signed_in.here.session.user_id) for _ in range(50)]
        await signed_in.check_let_in([signed_in.elsewhere])
        if not redis_is_up:
            signed_in.valkey.stop()
        began = time.monotonic()
        await log_out_everywhere_else(signed_in.shop, signed_in.here, signed_in.elsewhere)
        # One wait for all of them: fifty would take half a minute.
        assert time.monotonic() - began < 10 * LEASE
        await signed_in.check_refused(devices)
        await signed_in.check_let_in([signed_in.elsewhere])


async def test_a_log_out_that_the_database_did_not_take_is_not_answered_as_one(signed_in: SignedIn) -> None:
    end, container = End(log_out, spares_elsewhere=True), signed_in.shop.container
    with socket.socket() as taken_and_deaf:
        taken_and_deaf.bind(("127.0.0.1", 0))
        dead = make_engine(f"postgresql://nobody@127.0.0.1:{taken_and_deaf.getsockname()[1]}/kapda")
        attempt = LogOut(lambda: PostgresUnitOfWork(dead), container.revoked_tokens(), container.clock())
        with pytest.raises(UnavailableError) as refusal:
            await attempt.execute(LogOutCommand(signed_in.here.principal))
        assert refusal.value.reason is Reason.DATABASE_UNAVAILABLE
        # Nothing has happened: the session goes on until the log-out is told again.
        await signed_in.check_let_in([signed_in.here])
        await signed_in.ends(end)
        signed_in.valkey.stop()
        blind = Authenticate(
            container.access_tokens(), container.revoked_tokens(), PostgresSessionReader(dead), container.clock()
        )
        with pytest.raises(UnavailableError):
            await blind.execute(_call(signed_in.elsewhere.tokens))
        await dead.dispose()
    await signed_in.check(end)
