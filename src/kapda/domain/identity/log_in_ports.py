"""What a log-in needs from outside."""

from dataclasses import dataclass, field
from typing import Protocol

from kapda.domain.identity.log_in_attempts import Attempt
from kapda.domain.identity.refresh import RefreshToken
from kapda.domain.identity.session import Session
from kapda.domain.identity.user import Role


@dataclass(frozen=True, slots=True)
class SuccessfulLogIn:
    """All that is kept of one: the session with its first refresh token, and the attempt, which has succeeded.

    `checked_hash` is that of which the password was found to be.
    """

    session: Session
    token: RefreshToken
    attempt: Attempt
    checked_hash: str = field(repr=False)


class LogIns(Protocol):
    """Log-ins that succeeded, inside a unit of work."""

    async def keep(self, log_in: SuccessfulLogIn) -> Role | None:
        """Keep it, and the attempt's network as one from which the user got in; the account's role at this moment.

        All at once also where nothing is around it. None, and nothing kept, where the account is not active any more or
        its password was changed since it was checked. Waits for whoever has the account locked, so that no session slips
        in behind what ends all of them.
        """
        ...
