"""What an operator does about the members of houses from the command line: the outcome as JSON on stdout."""

from uuid import UUID

from kapda.domain.identity.house_member import HouseMember
from kapda.domain.identity.use_cases.house_editor import HouseMemberCommand
from kapda.domain.identity.user import EmailAddress
from kapda.domain.shared.ids import DesignerId
from kapda.entrypoints.key_chores import by_operator, tell, wired
from kapda.entrypoints.settings import Settings


async def add_member(settings: Settings, *, email: str, house: UUID, reason: str) -> None:
    """Have somebody act for the house."""
    async with wired(settings) as container:
        _tell(await container.add_house_member().execute(_command(email, house, reason)))


async def remove_member(settings: Settings, *, email: str, house: UUID, reason: str) -> None:
    """Have somebody act for it no longer."""
    async with wired(settings) as container:
        _tell(await container.remove_house_member().execute(_command(email, house, reason)))


def _command(email: str, house: UUID, reason: str) -> HouseMemberCommand:
    return HouseMemberCommand(by_operator(reason), EmailAddress(email), DesignerId(house))


def _tell(member: HouseMember) -> None:
    user = member.user
    told = {"id": user.id, "email": user.email.text, "role": user.role.value}
    tell({**told, "houses": list(member.designers), "changed": member.changed})
