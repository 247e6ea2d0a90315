"""A database in memory with transactions: a unit of work changes a copy, which a commit puts in the tables' place.

Units of work run one after another, never inside one another: two connections for one request are how pools starve, so
opening a second one fails the test.
"""

from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

from tests.fakes.carts import InMemoryCarts
from tests.fakes.checkout_starts import InMemoryCheckoutStarts
from tests.fakes.checkouts import InMemoryCheckouts
from tests.fakes.gateway_events import InMemoryGatewayEvents
from tests.fakes.identity import InMemoryUsers
from tests.fakes.mails import InMemoryMailedLinks, InMemoryMails
from tests.fakes.orders import InMemoryLedger, InMemoryOrders, OrderNumbers
from tests.fakes.payments import InMemoryAccountReadings, InMemoryCases, InMemoryPayments, InMemoryRefunds
from tests.fakes.requests_and_events import InMemoryJobs, InMemoryOutbox, InMemoryRequestLog
from tests.fakes.signing_keys import InMemoryNonces
from tests.fakes.stock import InMemoryStock
from tests.fakes.tables import Tables


@dataclass
class InMemoryDatabase:
    """`tables` is what is committed. `fail_next_commit` is raised by the next commit, which then leaves nothing."""

    tables: Tables = field(default_factory=Tables)
    commits: int = 0
    open_units: int = 0
    fail_next_commit: Exception | None = None
    # A sequence gives no number twice, whatever is rolled back.
    order_numbers: OrderNumbers = field(default_factory=OrderNumbers)

    def unit_of_work(self) -> "InMemoryUnitOfWork":
        """A new transaction."""
        return InMemoryUnitOfWork(self)

    def check_nothing_open(self) -> None:
        """Fails the test when the gateway is called while a transaction is open."""
        assert self.open_units == 0, "an outside call was made while a transaction was open"


class InMemoryUnitOfWork:
    """Serves every context's unit-of-work Protocol, as the real one does."""

    requests: InMemoryRequestLog
    nonces: InMemoryNonces
    carts: InMemoryCarts
    checkouts: InMemoryCheckouts
    checkout_starts: InMemoryCheckoutStarts
    payments: InMemoryPayments
    cases: InMemoryCases
    refunds: InMemoryRefunds
    account_readings: InMemoryAccountReadings
    gateway_events: InMemoryGatewayEvents
    orders: InMemoryOrders
    ledger: InMemoryLedger
    outbox: InMemoryOutbox
    stock: InMemoryStock
    jobs: InMemoryJobs
    users: InMemoryUsers
    mailed_links: InMemoryMailedLinks
    mails: InMemoryMails

    def __init__(self, database: InMemoryDatabase) -> None:
        self._database = database

    async def __aenter__(self) -> Self:
        assert self._database.open_units == 0, "a unit of work was opened inside another one"
        self._database.open_units += 1
        self._begin()
        return self

    def _begin(self) -> None:
        tables = self._working = self._database.tables.copied()
        self.requests = InMemoryRequestLog(tables)
        self.nonces = InMemoryNonces(tables.nonces)
        self.carts = InMemoryCarts(tables)
        self.checkouts = InMemoryCheckouts(tables)
        self.checkout_starts = InMemoryCheckoutStarts(tables)
        self.payments = InMemoryPayments(tables)
        self.cases = InMemoryCases(tables)
        self.refunds = InMemoryRefunds(tables)
        self.account_readings = InMemoryAccountReadings(tables)
        self.gateway_events = InMemoryGatewayEvents(tables)
        self.orders = InMemoryOrders(tables, self._database.order_numbers)
        self.ledger = InMemoryLedger(tables)
        self.jobs = InMemoryJobs(tables)
        self.outbox = InMemoryOutbox(tables, self.jobs)
        self.stock = InMemoryStock(tables, self.outbox)
        self.users = InMemoryUsers(tables.users)
        self.mailed_links = InMemoryMailedLinks(tables.mailed_links)
        self.mails = InMemoryMails(tables.mails, self.jobs, tables.payer_of)

    async def commit(self) -> None:
        failure, self._database.fail_next_commit = self._database.fail_next_commit, None
        if failure is not None:
            raise failure
        self._database.tables = self._working
        self._database.commits += 1
        # What is done after the commit is another transaction, which nobody commits.
        self._begin()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._database.open_units -= 1
