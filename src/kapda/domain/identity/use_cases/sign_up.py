"""Sign up."""

from collections.abc import Callable
from dataclasses import dataclass, field

from kapda.domain.identity.mail_ports import MailingUnitOfWork
from kapda.domain.identity.password import Password, check_rule, too_common
from kapda.domain.identity.password_ports import PasswordHasher, PasswordStrength
from kapda.domain.identity.refresh import SessionTokens
from kapda.domain.identity.session import NOWHERE, Contact, Session
from kapda.domain.identity.use_cases.token_issuer import TokenIssuer
from kapda.domain.identity.user import DisplayName, EmailAddress, User
from kapda.domain.shared.clock import Clock
from kapda.domain.shared.ids import IdGenerator, SessionId, UserId
from kapda.domain.shared.mails import MailKind, MailRequest


@dataclass(frozen=True, slots=True)
class SignUpCommand:
    """Who wants an account, and from where."""

    email: str
    password: str = field(repr=False)
    display_name: str
    contact: Contact = NOWHERE


@dataclass(frozen=True, slots=True)
class SignedUp:
    """The new user and the tokens of the first session."""

    user: User
    tokens: SessionTokens


@dataclass(frozen=True, slots=True)
class SignUp:
    """Anybody may have an account: it starts with a customer's role, a first session and a mail that asks whether the
    address is theirs, or not at all."""

    unit_of_work: Callable[[], MailingUnitOfWork]
    passwords: PasswordHasher
    strength: PasswordStrength
    issuer: TokenIssuer
    ids: IdGenerator
    clock: Clock

    async def execute(self, command: SignUpCommand) -> SignedUp:
        """The account. Raises InvalidArgumentError (VALIDATION_FAILED, PASSWORD_TOO_WEAK), AlreadyExistsError
        (EMAIL_TAKEN) or UnavailableError (OVERLOADED)."""
        email = EmailAddress(command.email)
        display_name = DisplayName(command.display_name)
        password = Password(command.password)
        check_rule(password)
        if await self.strength.is_common(password, (email.text, display_name.text)):
            raise too_common()
        password_hash = await self.passwords.hash(password)

        now = self.clock.now()
        user = User.signed_up(UserId(self.ids.new()), email, display_name, password_hash, now)
        session = Session.start(SessionId(self.ids.new()), user.id, now, command.contact)
        async with self.unit_of_work() as uow:
            await uow.users.add(user)
            await uow.sessions.add(session)
            await uow.known_networks.add(user.id, command.contact.network, now)
            tokens = await self.issuer.issue(uow.refresh_tokens, session, user.role, now)
            await uow.mails.queue(MailRequest.to_user(self.ids.new(), MailKind.CONFIRM_EMAIL, user.id, now))
            await uow.commit()
        return SignedUp(user, tokens)
