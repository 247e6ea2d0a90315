"""Identity's use cases on fakes."""

from collections.abc import Callable
from dataclasses import dataclass, field

import pytest

from kapda.domain.identity.use_cases.attempts_under_way import AttemptsUnderWay
from kapda.domain.identity.use_cases.authenticate import Authenticate
from kapda.domain.identity.use_cases.end_session import EndSession
from kapda.domain.identity.use_cases.get_me import GetMe
from kapda.domain.identity.use_cases.list_sessions import ListSessions
from kapda.domain.identity.use_cases.log_in import LogIn
from kapda.domain.identity.use_cases.log_in_guard import LogInGuard
from kapda.domain.identity.use_cases.log_out import LogOut
from kapda.domain.identity.use_cases.log_out_everywhere import LogOutEverywhere
from kapda.domain.identity.use_cases.refresh_session import RefreshSession
from kapda.domain.identity.use_cases.sign_up import SignUp, SignUpCommand
from kapda.domain.identity.use_cases.token_issuer import TokenIssuer
from tests.fakes.identity import (
    CountedRefreshSecrets,
    CountingIds,
    IdentityTables,
    InMemoryIdentityUnitOfWork,
    InMemoryRevokedTokens,
    InMemorySessionReader,
    ListedPasswordStrength,
    ReadablePasswordHasher,
    RememberedAccessTokens,
    SettableClock,
)
from tests.fakes.log_ins import InMemoryLogInCounters, ReadableDigests

ASHA = SignUpCommand(email="asha@example.in", password="Kurta-and-9-yards", display_name="Asha")


@dataclass
class IdentityHouse:
    """Everything identity is made of, with fakes at the edges."""

    tables: IdentityTables = field(default_factory=IdentityTables)
    clock: SettableClock = field(default_factory=SettableClock)
    ids: CountingIds = field(default_factory=CountingIds)
    passwords: ReadablePasswordHasher = field(default_factory=ReadablePasswordHasher)
    revoked_tokens: InMemoryRevokedTokens = field(default_factory=InMemoryRevokedTokens)

    def __post_init__(self) -> None:
        self.access_tokens = RememberedAccessTokens(self.clock)
        self.issuer = TokenIssuer(self.access_tokens, CountedRefreshSecrets(), self.ids)
        self.reader = InMemorySessionReader(self.tables)
        self.tables.clock = self.clock
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

    @property
    def unit_of_work(self) -> Callable[[], InMemoryIdentityUnitOfWork]:
        return lambda: InMemoryIdentityUnitOfWork(self.tables)

    @property
    def sign_up(self) -> SignUp:
        return SignUp(self.unit_of_work, self.passwords, ListedPasswordStrength(), self.issuer, self.ids, self.clock)

    @property
    def log_in(self) -> LogIn:
        return LogIn(
            self.unit_of_work, self.unit_of_work, self.guard, self.passwords, self.issuer, self.ids, self.clock
        )

    @property
    def log_out(self) -> LogOut:
        return LogOut(self.unit_of_work, self.revoked_tokens, self.clock)

    @property
    def log_out_everywhere(self) -> LogOutEverywhere:
        return LogOutEverywhere(self.unit_of_work, self.revoked_tokens, self.clock)

    @property
    def refresh_session(self) -> RefreshSession:
        return RefreshSession(self.unit_of_work, self.revoked_tokens, self.issuer, self.ids, self.clock)

    @property
    def list_sessions(self) -> ListSessions:
        return ListSessions(self.unit_of_work, self.clock)

    @property
    def end_session(self) -> EndSession:
        return EndSession(self.unit_of_work, self.revoked_tokens, self.clock)

    @property
    def get_me(self) -> GetMe:
        return GetMe(self.unit_of_work)

    @property
    def authenticate(self) -> Authenticate:
        return Authenticate(self.access_tokens, self.revoked_tokens, self.reader, self.clock)


@pytest.fixture
def house() -> IdentityHouse:
    return IdentityHouse()
