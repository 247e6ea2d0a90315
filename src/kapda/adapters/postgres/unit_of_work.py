"""One transaction on one connection, with every repository on it.

One class serves all contexts; each sees it through its own narrow Protocol. With `autocommit` it serves single reads, at
less than half of a transaction's cost.
"""

from collections.abc import Callable, Collection
from types import TracebackType
from typing import Self

from sqlalchemy.ext.asyncio import AsyncEngine

from kapda.adapters.pgqueuer.jobs import PgqueuerJobs
from kapda.adapters.postgres.api_keys import PostgresApiKeys
from kapda.adapters.postgres.audit import PostgresAudit
from kapda.adapters.postgres.carts import PostgresCarts
from kapda.adapters.postgres.cases import PostgresCases
from kapda.adapters.postgres.checkouts import PostgresCheckouts
from kapda.adapters.postgres.connection import Connection
from kapda.adapters.postgres.constraint_errors import domain_error
from kapda.adapters.postgres.gateway_events import PostgresGatewayEvents
from kapda.adapters.postgres.identity import PostgresDesignerMembership, PostgresUsers
from kapda.adapters.postgres.ledger import PostgresLedger
from kapda.adapters.postgres.log_ins import PostgresKnownNetworks, PostgresLogInAttempts
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


def _nobody_to_tell(_jobs: Collection[Job]) -> None:
    return None


class PostgresUnitOfWork:
    """`async with PostgresUnitOfWork(engine) as uow:` ... `await uow.commit()`.

    Failures of the database leave as domain errors where a caller can act on them. `on_jobs` is called after a commit
    that enqueued jobs, with their kinds, to have the workers look at once.
    """

    audit: PostgresAudit
    api_keys: PostgresApiKeys
    signing_keys: PostgresSigningKeys
    nonces: PostgresNonces
    users: PostgresUsers
    sessions: PostgresSessions
    refresh_tokens: PostgresRefreshTokens
    designer_members: PostgresDesignerMembership
    profiles: PostgresProfiles
    addresses: PostgresAddresses
    personal_data: PostgresPersonalData
    log_in_attempts: PostgresLogInAttempts
    known_networks: PostgresKnownNetworks
    requests: PostgresRequestLog
    carts: PostgresCarts
    checkouts: PostgresCheckouts
    payments: PostgresPayments
    refunds: PostgresRefunds
    cases: PostgresCases
    gateway_events: PostgresGatewayEvents
    orders: PostgresOrders
    ledger: PostgresLedger
    outbox: PostgresOutbox
    stock: PostgresStock
    mailed_links: PostgresMailedLinks
    mails: PostgresMails
    jobs: PgqueuerJobs

    def __init__(
        self,
        engine: AsyncEngine,
        on_jobs: Callable[[Collection[Job]], None] = _nobody_to_tell,
        *,
        autocommit: bool = False,
    ) -> None:
        self._connection = Connection(engine, autocommit=autocommit)
        self._on_jobs = on_jobs

    async def __aenter__(self) -> Self:
        try:
            connection = await self._connection.__aenter__()
        except Exception as error:
            raise domain_error(error) or error from error
        self.audit = PostgresAudit(connection)
        self.api_keys = PostgresApiKeys(connection)
        self.signing_keys = PostgresSigningKeys(connection)
        self.nonces = PostgresNonces(connection)
        self.users = PostgresUsers(connection)
        self.sessions = PostgresSessions(connection)
        self.refresh_tokens = PostgresRefreshTokens(connection)
        self.designer_members = PostgresDesignerMembership(connection)
        self.profiles = PostgresProfiles(connection)
        self.addresses = PostgresAddresses(connection)
        self.personal_data = PostgresPersonalData(connection)
        self.log_in_attempts = PostgresLogInAttempts(connection)
        self.known_networks = PostgresKnownNetworks(connection)
        self.requests = PostgresRequestLog(connection)
        self.carts = PostgresCarts(connection)
        self.checkouts = PostgresCheckouts(connection)
        self.payments = PostgresPayments(connection)
        self.refunds = PostgresRefunds(connection)
        self.cases = PostgresCases(connection)
        self.gateway_events = PostgresGatewayEvents(connection)
        self.orders = PostgresOrders(connection)
        self.ledger = PostgresLedger(connection)
        self.jobs = PgqueuerJobs(connection)
        self.outbox = PostgresOutbox(connection, self.jobs)
        self.stock = PostgresStock(connection, self.outbox)
        self.mailed_links = PostgresMailedLinks(connection)
        self.mails = PostgresMails(connection, self.jobs)
        return self

    async def commit(self) -> None:
        """See the port."""
        await self._connection.commit()
        if self.jobs.woken:
            self._on_jobs(self.jobs.woken)

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        # Rolls back whatever has not been committed, also when the task was cancelled.
        await self._connection.__aexit__(kind, error, traceback)
        if error is not None and (meaning := domain_error(error)) is not None:
            raise meaning from error
