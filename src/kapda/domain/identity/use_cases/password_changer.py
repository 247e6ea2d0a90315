"""What every change of a password does, whoever asked for it."""

from collections.abc import Collection
from dataclasses import dataclass

from kapda.domain.identity.mail_ports import MailingUnitOfWork
from kapda.domain.identity.mailed_link import LinkPurpose
from kapda.domain.identity.password import Password, check_rule, too_common
from kapda.domain.identity.password_ports import PasswordHasher, PasswordStrength
from kapda.domain.identity.user import User
from kapda.domain.shared.clock import Clock
from kapda.domain.shared.ids import IdGenerator, SessionId
from kapda.domain.shared.mails import MailKind, MailRequest


@dataclass(frozen=True, slots=True)
class PasswordChanger:
    """Holds the rule for new passwords, ends sessions and links that the old one may have leaked to, and tells by mail."""

    passwords: PasswordHasher
    strength: PasswordStrength
    ids: IdGenerator
    clock: Clock

    async def hash(self, text: str, user: User) -> str:
        """The hash of a new password. Call it outside of a transaction.

        Raises InvalidArgumentError (PASSWORD_TOO_WEAK) or UnavailableError (OVERLOADED).
        """
        password = Password(text)
        check_rule(password)
        if await self.strength.is_common(password, (user.email.text, user.display_name.text)):
            raise too_common()
        return await self.passwords.hash(password)

    async def change(
        self, uow: MailingUnitOfWork, user: User, password_hash: str, except_session: SessionId | None = None
    ) -> Collection[SessionId]:
        """Change the password of a user whose row is locked; whom to tell the revoked tokens of after the commit."""
        now = self.clock.now()
        user.change_password(password_hash, now)
        await uow.users.save(user)
        # Mailed before, to somebody who may have asked for it with the mailbox in hand.
        await uow.mailed_links.end(user.id, LinkPurpose.RESET_PASSWORD, now)
        await uow.mails.queue(MailRequest.to_user(self.ids.new(), MailKind.PASSWORD_CHANGED, user.id, now))
        return await uow.sessions.end_all(user.id, now, except_session)
