"""One transaction on one connection, with every repository on it.

One class serves all contexts; each sees it through its own narrow Protocol. With `autocommit` it serves single
statements, at less than half of a transaction's cost.
"""

from collections.abc import Callable, Collection
from types import TracebackType
from typing import Generic, Self, TypeVar

from sqlalchemy.ext.asyncio import AsyncEngine

from kapda.adapters.pgqueuer.jobs import PgqueuerJobs
from kapda.adapters.postgres.account_readings import PostgresAccountReadings
from kapda.adapters.postgres.api_keys import PostgresApiKeys
from kapda.adapters.postgres.audit import PostgresAudit
from kapda.adapters.postgres.carts import PostgresCarts
from kapda.adapters.postgres.cases import PostgresCases
from kapda.adapters.postgres.checkout_starts import PostgresCheckoutStarts
from kapda.adapters.postgres.checkouts import PostgresCheckouts
from kapda.adapters.postgres.connection import Connection
from kapda.adapters.postgres.constraint_errors import domain_error
from kapda.adapters.postgres.gateway_events import PostgresGatewayEvents
from kapda.adapters.postgres.identity import PostgresDesignerMembership, PostgresUsers
from kapda.adapters.postgres.ledger import PostgresLedger
from kapda.adapters.postgres.log_ins import PostgresKnownNetworks, PostgresLogInAttempts, PostgresLogIns
from kapda.adapters.postgres.mailed_links import PostgresMailedLinks
from kapda.adapters.postgres.mails import PostgresMails
from kapda.adapters.postgres.orders import PostgresOrders
from kapda.adapters.postgres.outbox import PostgresOutbox
from kapda.adapters.postgres.payments import PostgresPayments
from kapda.adapters.postgres.personal_data import PostgresPersonalData
from kapda.adapters.postgres.profiles import PostgresAddresses, PostgresProfiles
from kapda.adapters.postgres.refunds import PostgresRefunds
from kapda.adapters.postgres.request_log import PostgresRequestLog
from kapda.adapters.postgres.sessions import PostgresRefreshTokens, PostgresSessions
from kapda.adapters.postgres.signing_keys import PostgresNonces, PostgresSigningKeys
from kapda.adapters.postgres.stock import PostgresStock
from kapda.domain.shared.jobs import Job

Repository = TypeVar("Repository")


class _Lazily(Generic[Repository]):
    """A repository of the unit's, made when it is first used: there are many, and a call uses few.

    As functools.cached_property, which in Python 3.11 takes a lock each time, for threads that a unit never meets.
    """

    def __init__(self, make: "Callable[[PostgresUnitOfWork], Repository]") -> None:
        self._make = make

    def __set_name__(self, _owner: type, name: str) -> None:
        self._name = name

    def __get__(self, uow: "PostgresUnitOfWork", _owner: type) -> Repository:
        made = self._make(uow)
        # Found there the next time: a descriptor that sets nothing comes after the instance's own attributes.
        uow.__dict__[self._name] = made
        return made


def _on(make: Callable[[Connection], Repository]) -> _Lazily[Repository]:
    """A repository on the unit's connection."""
    return _Lazily(lambda uow: make(uow.connection))


def _nobody_to_tell(_jobs: Collection[Job]) -> None:
    return None


class PostgresUnitOfWork:
    """`async with PostgresUnitOfWork(engine) as uow:` ... `await uow.commit()`.

    Failures of the database leave as domain errors where a caller can act on them. `on_jobs` is called after a commit
    that enqueued jobs, with their kinds, to have the workers look at once.
    """

    connection: Connection

    jobs = _on(PgqueuerJobs)
    audit = _on(PostgresAudit)
    api_keys = _on(PostgresApiKeys)
    signing_keys = _on(PostgresSigningKeys)
    nonces = _on(PostgresNonces)
    users = _on(PostgresUsers)
    sessions = _on(PostgresSessions)
    refresh_tokens = _on(PostgresRefreshTokens)
    designer_members = _on(PostgresDesignerMembership)
    profiles = _on(PostgresProfiles)
    addresses = _on(PostgresAddresses)
    personal_data = _on(PostgresPersonalData)
    log_ins = _on(PostgresLogIns)
    log_in_attempts = _on(PostgresLogInAttempts)
    known_networks = _on(PostgresKnownNetworks)
    requests = _on(PostgresRequestLog)
    carts = _on(PostgresCarts)
    checkouts = _on(PostgresCheckouts)
    checkout_starts = _on(PostgresCheckoutStarts)
    payments = _on(PostgresPayments)
    refunds = _on(PostgresRefunds)
    cases = _on(PostgresCases)
    account_readings = _on(PostgresAccountReadings)
    gateway_events = _on(PostgresGatewayEvents)
    orders = _on(PostgresOrders)
    ledger = _on(PostgresLedger)
    outbox = _Lazily(lambda uow: PostgresOutbox(uow.connection, uow.jobs))
    stock = _Lazily(lambda uow: PostgresStock(uow.connection, uow.outbox))
    mailed_links = _on(PostgresMailedLinks)
    mails = _Lazily(lambda uow: PostgresMails(uow.connection, uow.jobs))

    def __init__(
        self,
        engine: AsyncEngine,
        on_jobs: Callable[[Collection[Job]], None] = _nobody_to_tell,
        *,
        autocommit: bool = False,
    ) -> None:
        self.connection = Connection(engine, autocommit=autocommit)
        self._on_jobs = on_jobs

    async def __aenter__(self) -> Self:
        try:
            await self.connection.__aenter__()
        except Exception as error:
            raise domain_error(error) or error from error
        return self

    async def commit(self) -> None:
        """See the port."""
        await self.connection.commit()
        if self.jobs.woken:
            self._on_jobs(self.jobs.woken)

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        # Rolls back whatever has not been committed, also when the task was cancelled.
        await self.connection.__aexit__(kind, error, traceback)
        if error is not None and (meaning := domain_error(error)) is not None:
            raise meaning from error
