"""What admins may do to accounts.

Nobody shuts or demotes the own account, and whoever does it to another must be an active admin under the lock of all
active admins' rows. So one always stays, also when two do it to each other at the same moment: the second one finds
that it is no admin any more.

Anybody can sign up with somebody else's address. So an account gets power only when its address is confirmed: otherwise
whoever signed up first with a coming admin's address would hold the admin's password.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from kapda.domain.identity.user import DisplayName, EmailAddress, Role, User, UserStatus
from kapda.domain.shared.audit import Actor, ActorKind
from kapda.domain.shared.errors import FailedPreconditionError, NotFoundError, PermissionDeniedError, Reason
from kapda.domain.shared.ids import UserId


@dataclass(frozen=True, slots=True)
class ManagedUser:
    """A user as admins see one: everything but the password's hash."""

    id: UserId
    email: EmailAddress
    display_name: DisplayName
    role: Role
    status: UserStatus
    created_at: datetime
    updated_at: datetime
    email_confirmed_at: datetime | None = None

    @classmethod
    def of(cls, user: User) -> "ManagedUser":
        """The user as it is now."""
        return cls(
            user.id,
            user.email,
            user.display_name,
            user.role,
            user.status,
            user.created_at,
            user.updated_at,
            user.email_confirmed_at,
        )


def check_may_take_power(actor: Actor, admins: Collection[UserId], user_id: UserId) -> None:
    """Whether the actor may shut or demote the user, `admins` being the active admins, whose rows are locked.

    Raises FailedPreconditionError (OWN_ACCOUNT) or PermissionDeniedError (ROLE_NOT_ALLOWED).
    """
    if actor.id == user_id:
        raise FailedPreconditionError(Reason.OWN_ACCOUNT, "another admin has to do this to your account")
    if actor.kind is ActorKind.USER and actor.id not in admins:
        raise PermissionDeniedError(Reason.ROLE_NOT_ALLOWED, "you are no admin any more")


def give_role(user: User, role: Role, at: datetime) -> bool:
    """Give a user another role; whether it was another.

    Raises FailedPreconditionError (EMAIL_UNCONFIRMED) where it gives power. An admin loses some by any other role, and
    that is never in the way.
    """
    gains = role not in (user.role, Role.CUSTOMER) and user.role is not Role.ADMIN
    if gains and user.email_confirmed_at is None:
        raise FailedPreconditionError(
            Reason.EMAIL_UNCONFIRMED,
            "nobody knows yet whether the account is that of the address: its reader has to follow a mailed link first,"
            " best one that resets the password",
        )
    return user.give_role(role, at)


def user_not_found() -> NotFoundError:
    """No such user."""
    return NotFoundError(Reason.USER_NOT_FOUND, "no such user")


def user_state_invalid(user: User) -> FailedPreconditionError:
    """The account is one that this cannot be done to."""
    return FailedPreconditionError(
        Reason.USER_STATE_INVALID,
        f"cannot be done to a {user.role.value}'s account that is {user.status.value}",
        metadata={"role": user.role.value, "state": user.status.value},
    )
