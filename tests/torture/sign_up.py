"""Customers made in the database, because a password for each takes longer than what is tested; and the seed's admin."""

import asyncio
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import asyncpg
from pydantic import SecretStr

from kapda.adapters.crypto.jwt_tokens import JwtAccessTokens
from kapda.domain.identity.session import AccessClaims, Session
from kapda.domain.identity.use_cases.issue_signing_key import IssueSigningKeyCommand
from kapda.domain.identity.user import Role
from kapda.domain.shared.audit import OPERATOR, Occasion
from kapda.domain.shared.ids import SessionId, UserId
from kapda.entrypoints.cli.signer import Signer
from kapda.entrypoints.cli.stack import ADMIN_EMAIL
from kapda.entrypoints.container import Container
from tests.shop.shop import Shop, settings_for
from tests.shop.wire import Wire

Metadata = tuple[tuple[str, str], ...]
_RENEWED_AFTER = timedelta(minutes=5)
_NEW = """
    INSERT INTO users (id, email, email_key, display_name, password_hash, role, created_at, updated_at)
    SELECT id, id || '@example.com', id || '@example.com', 'Asha', '-', 'customer', now(), now()
    FROM (SELECT uuidv7() AS id) AS ids RETURNING id
"""
_ADMIN = "SELECT id FROM users WHERE email = $1"
_SESSION = "INSERT INTO sessions (id, user_id, created_at, expires_at) VALUES ($1, $2, $3, $4)"


@dataclass
class Pass:
    """What somebody shows with each call; a campaign may outlive an access token."""

    tokens: JwtAccessTokens
    session: Session
    role: Role
    signer: Signer | None = None
    _issued_at: datetime | None = None
    _metadata: Metadata = ()

    @property
    def user_id(self) -> str:
        """Whose."""
        return str(self.session.user_id)

    @property
    def metadata(self) -> Metadata:
        """A token with some minutes left."""
        now = datetime.now(UTC)
        if self._issued_at is None or self._issued_at + _RENEWED_AFTER < now:
            token = self.tokens.issue(AccessClaims.for_session(self.session, self.role, uuid4(), now))
            self._issued_at, self._metadata = now, (("authorization", f"Bearer {token}"),)
        return self._metadata

    def shown_with(self, method: str, body: bytes) -> Metadata:
        """What one sending of the request carries: an admin signs each anew. `method` is `/package.Service/Method`."""
        signature = self.signer.headers(method, body) if self.signer is not None else ()
        return (*self.metadata, *signature)


async def new_customer(wire: Wire) -> Pass:
    """Somebody who has just signed up."""
    return await _signed_in(wire, Role.CUSTOMER, _NEW)


async def the_admin(wire: Wire, shop: Shop) -> Pass:
    """The seed's admin, with a signing key as an operator makes one."""
    signed_in = await _signed_in(wire, Role.ADMIN, _ADMIN, ADMIN_EMAIL)
    user_id = signed_in.session.user_id
    command = IssueSigningKeyCommand(Occasion(OPERATOR, "the-campaign", "refunds"), None, user_id)
    issued = await shop.container.issue_signing_key().execute(command)
    return replace(signed_in, signer=Signer(issued.key.id, user_id, issued.secret))


async def _signed_in(wire: Wire, role: Role, statement: str, *values: object) -> Pass:
    """With a session; tried again when the database dies meanwhile."""
    while True:
        try:
            user_id = await wire.database.insert(statement, *values)
            session = Session.start(SessionId(uuid4()), UserId(user_id), datetime.now(UTC))
            await wire.database.execute(_SESSION, session.id, session.user_id, session.created_at, session.expires_at)
        except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError):
            await asyncio.sleep(0.1)
        else:
            return Pass(_tokens(wire), session, role)


def _tokens(wire: Wire) -> JwtAccessTokens:
    """Issues what the running servers accept."""
    keys = [SecretStr(wire.stack.environment["KAPDA_JWT_KEYS"])]
    settings = settings_for("postgresql://unused", "redis://unused", "http://127.0.0.1:1")
    tokens: JwtAccessTokens = Container(settings=settings.model_copy(update={"jwt_keys": keys})).access_tokens()
    return tokens
