"""What an operator does about accounts from the command line: the outcome as JSON on stdout."""

from kapda.domain.identity.password import Password
from kapda.domain.identity.use_cases.create_admin import AdminOutcome, CreateAdminCommand
from kapda.domain.identity.use_cases.issue_signing_key import IssueSigningKeyCommand
from kapda.domain.identity.user import DisplayName, EmailAddress
from kapda.domain.shared.errors import AlreadyExistsError
from kapda.entrypoints.key_chores import by_operator, sign_with, tell, wired
from kapda.entrypoints.settings import Settings


async def create_admin(settings: Settings, *, email: str, name: str, password: str, reason: str) -> None:
    """Make an admin, or make one of whoever has confirmed the address; tell which it was, and what to sign with where they
    never had a key."""
    command = CreateAdminCommand(by_operator(reason), EmailAddress(email), DisplayName(name), Password(password))
    async with wired(settings) as container:
        made = await container.create_admin().execute(command)
        admin = made.user
        first = IssueSigningKeyCommand(command.occasion, None, admin.id, only_first=True)
        try:
            signing = {"sign_with": sign_with(await container.issue_signing_key().execute(first))}
        except AlreadyExistsError:
            signing = {}
    told = {"id": admin.id, "email": admin.email.text, "role": admin.role.value, "created_at": admin.created_at}
    # Whoever was there before signs in with the password of before, and not with the one just typed.
    became = {"outcome": made.outcome.value, "password_set": made.outcome is AdminOutcome.CREATED}
    tell({**told, **became, **signing})
