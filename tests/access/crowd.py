"""Somebody of every kind before the real server, each call with credentials that no call before it could have ended."""

from dataclasses import dataclass, field
from uuid import UUID, uuid4

from kapda.domain.identity.scope import HOUSE_SCOPES, Scope
from kapda.domain.identity.session import AccessClaims, Session
from kapda.domain.identity.use_cases.issue_api_key import IssueApiKeyCommand
from kapda.domain.identity.user import Role
from kapda.domain.shared.audit import OPERATOR, Occasion
from kapda.domain.shared.ids import DesignerId, SessionId, UserId
from kapda.entrypoints.cli.signer import Signer
from kapda.entrypoints.grpc.interceptors.access import AUTHORIZATION_KEY, SERVICE_METADATA
from tests.attacks.cast import signer
from tests.attacks.contract import Method
from tests.attacks.stage import GUEST, NOBODY, ROLES, Stage

Metadata = tuple[tuple[str, str], ...]
WHY = Occasion(OPERATOR, "the-crowd", "a test of who may")


@dataclass(frozen=True, slots=True)
class Caller:
    """One of the crowd. `column` is where the table says whether they are let in; services have scopes instead."""

    name: str
    column: str
    scopes: frozenset[Scope] | None = None


PEOPLE = [
    Caller("asha", "customer"),
    Caller("loom", "designer"),
    Caller("press", "brand"),
    Caller("admin", "admin"),
]
SERVICES = [
    Caller("service with every scope", "service", frozenset(Scope)),
    *(Caller(f"service with {scope.value}", "service", frozenset({scope})) for scope in Scope),
    Caller("service of one house", "service", HOUSE_SCOPES),
]
CALLERS = [Caller(NOBODY, "nobody"), Caller(GUEST, "guest"), *PEOPLE, *SERVICES]


@dataclass
class Crowd:
    """The stage's people, and services beside them."""

    stage: Stage
    keys: dict[str, str] = field(default_factory=dict)
    signers: dict[str, Signer] = field(default_factory=dict)

    async def enter(self, house: DesignerId) -> None:
        """The services come with their keys, everybody who may have one with a signing key."""
        container = self.stage.shop.container
        self.signers["admin"] = self.stage.signers["admin"]
        for caller in SERVICES:
            assert caller.scopes is not None
            only = house if caller.name == "service of one house" else None
            issued = await container.issue_api_key().execute(
                IssueApiKeyCommand(WHY, None, caller.name, caller.scopes, only)
            )
            self.keys[caller.name] = issued.text.text
            self.signers[caller.name] = await signer(self.stage, issued.key.service_id)

    async def credentials(self, name: str) -> Metadata:
        """What the caller's next call brings: people a session of its own."""
        if name in self.keys:
            return ((SERVICE_METADATA, self.keys[name]),)
        if name not in ROLES:
            return self.stage.metadata[name]
        return ((AUTHORIZATION_KEY, f"Bearer {await self._token(self.stage.users[name], ROLES[name])}"),)

    def signature(self, name: str, method: Method, request: bytes) -> Metadata:
        """The caller's, where the method must be signed and the caller can."""
        if not method.rule.signed_by or name not in self.signers:
            return ()
        return self.signers[name].headers(method.path, request)

    async def new_session(self, user_id: UserId) -> Session:
        """One more session of the user's."""
        container = self.stage.shop.container
        session = Session.start(SessionId(uuid4()), user_id, container.clock().now())
        async with container.unit_of_work() as uow:
            await uow.sessions.add(session)
            await uow.commit()
        return session

    async def _token(self, user_id: UserId, role: Role) -> str:
        session = await self.new_session(user_id)
        claims = AccessClaims.for_session(session, role, UUID(int=uuid4().int), session.created_at)
        return self.stage.shop.container.access_tokens().issue(claims)
