"""What a servicer knows of a use case: its command and its result."""

from typing import Protocol, TypeVar

CommandT_contra = TypeVar("CommandT_contra", contravariant=True)
ResultT_co = TypeVar("ResultT_co", covariant=True)


class UseCase(Protocol[CommandT_contra, ResultT_co]):
    """Anything that executes such a command."""

    async def execute(self, command: CommandT_contra, /) -> ResultT_co:
        """Do it, or raise a DomainError."""
        ...
