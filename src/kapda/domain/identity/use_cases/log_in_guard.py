"""Stands before every check of a password: the same for everybody, before anything is known of the account."""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass

from kapda.domain.identity.client_network import ClientNetwork
from kapda.domain.identity.log_in_attempts import Attempt, Gate, Outcome, PastAttempt, Verdict, judge, refusal
from kapda.domain.identity.throttle_ports import IdentifierDigests, LogInCounters, LogInUnitOfWork
from kapda.domain.identity.use_cases.attempts_under_way import AttemptsUnderWay
from kapda.domain.identity.user import EmailAddress
from kapda.domain.shared.clock import Clock
from kapda.domain.shared.errors import DomainError, InvalidArgumentError, UnauthenticatedError, UnavailableError
from kapda.domain.shared.ids import IdGenerator, UserId


@dataclass(frozen=True, slots=True)
class LogInGuard:
    """Lets an attempt through, counted as a failure until it is known to be none, or refuses it.

    The counters decide; without them the rows do, one attempt at an identifier after another. A success is kept in the
    transaction of what it led to, by `let_in` or with the log-in, and told after the commit, by `succeeded`. `autocommit`
    makes units without a transaction, for single statements.
    """

    unit_of_work: Callable[[], LogInUnitOfWork]
    autocommit: Callable[[], LogInUnitOfWork]
    counters: LogInCounters
    under_way: AttemptsUnderWay
    digests: IdentifierDigests
    ids: IdGenerator
    clock: Clock

    @asynccontextmanager
    async def trying(self, email: str, network: ClientNetwork) -> AsyncIterator[Attempt]:
        """A check of a password in a block: an UnauthenticatedError in it says that the password was wrong, no error that it
        was right, which the block keeps, and any other DomainError nothing. Raises what `begin` raises."""
        attempt = await self.begin(email, network)
        try:
            yield attempt
        except UnauthenticatedError:
            await self.failed(attempt)
            raise
        except DomainError:
            await self.withdrawn(attempt)
            raise
        await self.succeeded(attempt)

    def attempt(self, email: str, network: ClientNetwork) -> Attempt:
        """An attempt that nobody judges: of somebody who proved by other means to be the account's user."""
        return Attempt(self.ids.new(), self.digests.of(email), network)

    async def begin(self, email: str, network: ClientNetwork) -> Attempt:
        """The attempt. Raises ResourceExhaustedError (LOG_IN_LOCKED, LOG_IN_LINK_NEEDED) with the time to wait."""
        attempt = self.attempt(email, network)
        async with self.under_way.one_at_a_time(attempt.identifier):
            verdict = await self._judge(attempt, network_is_known=False)
            # Asked only now, because it costs a look at the rows and matters to nobody else.
            if verdict.gate is Gate.LINK_NEEDED and await self._is_known(email, network):
                verdict = await self._judge(attempt, network_is_known=True)
            if verdict.gate is not Gate.OPEN:
                raise refusal(verdict)
            self.under_way.add(attempt, self.clock.now())
        return attempt

    async def failed(self, attempt: Attempt) -> None:
        """The password was wrong, or the account is one that cannot be logged in to."""
        async with self.autocommit() as uow:
            await uow.log_in_attempts.record(attempt, Outcome.FAILED)
            await uow.commit()
        self.under_way.remove(attempt)
        await self.counters.settle(attempt, Outcome.FAILED)

    async def let_in(self, uow: LogInUnitOfWork, attempt: Attempt, user_id: UserId) -> None:
        """Keep that the user was there: what the network failed at before counts no longer, and it is known from now on."""
        await uow.log_in_attempts.record(attempt, Outcome.SUCCEEDED)
        await uow.known_networks.add(user_id, attempt.network, self.clock.now())

    async def succeeded(self, attempt: Attempt) -> None:
        """What `let_in` kept was committed."""
        self.under_way.remove(attempt)
        await self.counters.settle(attempt, Outcome.SUCCEEDED)

    async def withdrawn(self, attempt: Attempt) -> None:
        """The password was not looked at, because something of ours did not answer: perhaps the very rows."""
        self.under_way.remove(attempt)
        await self.counters.withdraw(attempt)
        with suppress(UnavailableError):
            async with self.autocommit() as uow:
                await uow.log_in_attempts.withdraw(attempt)
                await uow.commit()

    async def forget(self, uow: LogInUnitOfWork, email: str) -> int:
        """Keep no attempt that counts against anybody; how many there were."""
        return await uow.log_in_attempts.clear(self.digests.of(email))

    async def forgotten(self, email: str) -> None:
        """What `forget` did was committed."""
        await self.counters.forget(self.digests.of(email))

    async def _judge(self, attempt: Attempt, *, network_is_known: bool) -> Verdict:
        async def past() -> Sequence[PastAttempt]:
            async with self.autocommit() as uow:
                rows = await uow.log_in_attempts.recent(attempt.identifier)
            return self.under_way.beside(rows, attempt.identifier, self.clock.now())

        verdict = await self.counters.begin(attempt, past, network_is_known=network_is_known)
        return verdict or await self._judge_by_rows(attempt, network_is_known=network_is_known)

    async def _judge_by_rows(self, attempt: Attempt, *, network_is_known: bool) -> Verdict:
        async with self.unit_of_work() as uow:
            await uow.log_in_attempts.lock(attempt.identifier)
            rows = await uow.log_in_attempts.recent(attempt.identifier)
            past = self.under_way.beside(rows, attempt.identifier, self.clock.now())
            verdict = judge(past, attempt.network, network_is_known=network_is_known)
            if verdict.gate is Gate.OPEN:
                await uow.log_in_attempts.record(attempt, Outcome.UNDER_WAY)
                await uow.commit()
        return verdict

    async def _is_known(self, email: str, network: ClientNetwork) -> bool:
        try:
            address = EmailAddress(email)
        except InvalidArgumentError:
            return False
        async with self.autocommit() as uow:
            return await uow.known_networks.knows(address, network)
