"""What an operator does about accounts from the command line: the outcome as JSON on stdout."""

from kapda.domain.identity.password import Password
from kapda.domain.identity.use_cases.create_admin import CreateAdminCommand
from kapda.domain.identity.user import DisplayName, EmailAddress
from kapda.entrypoints.key_chores import by_operator, tell, wired
from kapda.entrypoints.settings import Settings


async def create_admin(settings: Settings, *, email: str, name: str, password: str, reason: str) -> None:
    """Make an admin, or make one of whoever has the address."""
    command = CreateAdminCommand(by_operator(reason), EmailAddress(email), DisplayName(name), Password(password))
    async with wired(settings) as container:
        admin = await container.create_admin().execute(command)
    tell({"id": admin.id, "email": admin.email.text, "role": admin.role.value, "created_at": admin.created_at})
