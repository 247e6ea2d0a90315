"""Devices that somebody is signed in on, made without the cost of a password, and what ends their sessions."""

from dataclasses import dataclass
from datetime import timedelta
from uuid import uuid4

from kapda.domain.identity.principal import Principal
from kapda.domain.identity.refresh import RefreshSecret, SessionTokens
from kapda.domain.identity.session import NOWHERE, Contact, Session
from kapda.domain.identity.use_cases.authenticate import AuthenticateCommand
from kapda.domain.identity.use_cases.refresh_session import RefreshSessionCommand
from kapda.domain.identity.user import Role
from kapda.domain.shared.errors import UnauthenticatedError
from kapda.domain.shared.ids import SessionId, UserId
from kapda.entrypoints.container import Container
from tests.shop.shop import Shop


@dataclass
class Device:
    """A device with the tokens that it was given first."""

    shop: Shop
    session: Session
    tokens: SessionTokens

    @property
    def principal(self) -> Principal:
        """For whom its calls are made."""
        return Principal(self.session.user_id, Role.CUSTOMER, self.session.id)

    async def refresh(self, secret: RefreshSecret | None = None, contact: Contact = NOWHERE) -> SessionTokens:
        """Use the first token, or another one, at the next process."""
        used = secret or self.tokens.refresh_token.secret
        return await self.shop.door().refresh_session().execute(RefreshSessionCommand(used, "call-of-a-test", contact))

    async def lets_time_pass(self, by: timedelta = timedelta(seconds=11)) -> None:
        """Every use of the session's tokens so far is longer ago: by more than the grace unless told otherwise."""
        await self.shop.sql(
            "UPDATE refresh_tokens SET used_at = used_at - CAST(:by AS interval) WHERE session_id = :id",
            by=by,
            id=self.session.id,
        )


async def sign_in(shop: Shop, user_id: UserId) -> Device:
    """One more device of the user."""
    container = shop.container
    now = container.clock().now()
    session = Session.start(SessionId(uuid4()), user_id, now)
    async with container.unit_of_work() as uow:
        await uow.sessions.add(session)
        tokens = await container.token_issuer().issue(uow.refresh_tokens, session, Role.CUSTOMER, now)
        await uow.commit()
    return Device(shop, session, tokens)


async def is_let_in(container: Container, tokens: SessionTokens) -> bool:
    """Whether a process accepts the access token."""
    try:
        await container.authenticate().execute(AuthenticateCommand(tokens.access_token.text))
    except UnauthenticatedError:
        return False
    return True
