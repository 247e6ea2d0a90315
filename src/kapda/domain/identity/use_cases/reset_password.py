"""Reset a password by a mailed link."""

from collections.abc import Callable
from dataclasses import dataclass, field

from kapda.domain.identity.mail_ports import MailingUnitOfWork
from kapda.domain.identity.mailed_link import LinkPurpose
from kapda.domain.identity.session import NOWHERE, Contact
from kapda.domain.identity.session_ports import RevokedTokens
from kapda.domain.identity.use_cases.follow_link import FollowLink
from kapda.domain.identity.use_cases.log_in_guard import LogInGuard
from kapda.domain.identity.use_cases.password_changer import PasswordChanger
from kapda.domain.shared.clock import Clock

_PURPOSE = LinkPurpose.RESET_PASSWORD


@dataclass(frozen=True, slots=True)
class ResetPasswordCommand:
    """What the link carries, the password from now on, and from where the link is followed."""

    token: str = field(repr=False)
    new_password: str = field(repr=False)
    contact: Contact = NOWHERE


@dataclass(frozen=True, slots=True)
class ResetPassword:
    """Uses the link up, sets the password and ends every session of its user, all or nothing.

    A password that is too weak leaves the link as it was. The link was read in the account's mail, so it confirms the
    address too, and opens the account to log-ins from there: whoever tried the forgotten one too often may use the new
    one at once.
    """

    unit_of_work: Callable[[], MailingUnitOfWork]
    links: FollowLink
    changer: PasswordChanger
    guard: LogInGuard
    revoked_tokens: RevokedTokens
    clock: Clock

    async def execute(self, command: ResetPasswordCommand) -> None:
        """Set it. Raises InvalidArgumentError (LINK_INVALID, PASSWORD_TOO_WEAK) or UnavailableError (OVERLOADED)."""
        token = self.links.read(command.token, _PURPOSE)
        async with self.unit_of_work() as uow:
            found = await self.links.whose(uow, token, _PURPOSE)
        new_hash = await self.changer.hash(command.new_password, found)
        async with self.unit_of_work() as uow:
            user = await self.links.use(uow, token, _PURPOSE)
            user.confirm_email(self.clock.now())
            ended = await self.changer.change(uow, user, new_hash)
            proof = self.guard.attempt(user.email.text, command.contact.network)
            await self.guard.let_in(uow, proof, user.id)
            await uow.commit()
        await self.revoked_tokens.revoke(ended)
        await self.guard.succeeded(proof)
