"""A user and the parts a user is made of.

The shape of an e-mail address is checked here and in the contract, by rules of our own. Whether mail arrives is another
question, which only a mailed confirmation answers: no library is asked for either.
"""

import re
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum, unique

from kapda.domain.shared.errors import InvalidArgumentError
from kapda.domain.shared.ids import UserId
from kapda.domain.shared.one_line import is_blank, is_printable, one_line

# RFC 5321: the longest address that fits a forward path, and its longest local part.
MAX_EMAIL_LENGTH = 254
MAX_EMAIL_LOCAL_LENGTH = 64
MAX_DISPLAY_NAME_LENGTH = 100

_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_TOP_LABEL = r"(?=[A-Za-z0-9-]*[A-Za-z])" + _LABEL
_EMAIL = re.compile(rf"(?P<local>{_ATOM}(?:\.{_ATOM})*)@(?:{_LABEL}\.)+{_TOP_LABEL}")


@unique
class Role(Enum):
    """What a user is to the marketplace. A designer or brand acts for the houses that name them a member."""

    CUSTOMER = "customer"
    DESIGNER = "designer"
    BRAND = "brand"
    ADMIN = "admin"
    # An internal client with API keys. Nobody logs in as one.
    SERVICE = "service"


# What stands where a hash would for an account without a password: no password has it.
NO_PASSWORD = "!"  # noqa: S105  (none)


@unique
class UserStatus(Enum):
    """Whether an account may be used. Every change of it ends the user's sessions, in the same transaction."""

    ACTIVE = "active"
    # Shut by an admin, who may open it again.
    DISABLED = "disabled"
    # Given up by its user, for good; what tax law wants kept refers to it.
    DELETED = "deleted"


@dataclass(frozen=True, slots=True)
class EmailAddress:
    """An e-mail address as its owner wrote it; `key` is the same for all spellings of one address.

    ASCII only: an international domain comes in its `xn--` form, and an address that only looks like another cannot
    exist. Raises InvalidArgumentError (VALIDATION_FAILED) on `email`.
    """

    text: str

    def __post_init__(self) -> None:
        match = _EMAIL.fullmatch(self.text) if len(self.text) <= MAX_EMAIL_LENGTH else None
        if match is None or len(match["local"]) > MAX_EMAIL_LOCAL_LENGTH:
            raise InvalidArgumentError.for_field("email", "is not an e-mail address")

    @property
    def key(self) -> str:
        """What identifies the address. Mailboxes that differ only in case belong to one person in practice."""
        return self.text.lower()


@dataclass(frozen=True, slots=True)
class DisplayName:
    """The name a user goes by: 1 to 100 characters in normal form C, without space around it or control characters.

    Raises InvalidArgumentError (VALIDATION_FAILED) on `display_name`.
    """

    text: str

    def __post_init__(self) -> None:
        text = one_line(self.text)
        if len(text) > MAX_DISPLAY_NAME_LENGTH:
            raise InvalidArgumentError.for_field(
                "display_name", f"must not be longer than {MAX_DISPLAY_NAME_LENGTH} characters"
            )
        if not is_printable(text):
            raise InvalidArgumentError.for_field("display_name", "must not contain control characters")
        if is_blank(text):
            raise InvalidArgumentError.for_field("display_name", "must not be blank")
        object.__setattr__(self, "text", text)


@dataclass(slots=True)
class User:
    """Somebody with an account."""

    id: UserId
    email: EmailAddress
    display_name: DisplayName
    role: Role
    password_hash: str = field(repr=False)
    created_at: datetime
    updated_at: datetime
    status: UserStatus = UserStatus.ACTIVE
    # When a mailed link proved that its user reads the address's mail; None until then, and for an address just changed.
    email_confirmed_at: datetime | None = None

    @property
    def is_active(self) -> bool:
        """Whether the account may begin and keep sessions."""
        return self.status is UserStatus.ACTIVE

    @classmethod
    def signed_up(
        cls, user_id: UserId, email: EmailAddress, display_name: DisplayName, password_hash: str, at: datetime
    ) -> "User":
        """A new account. Everybody starts as a customer; other roles are given, never asked for."""
        return cls(user_id, email, display_name, Role.CUSTOMER, password_hash, created_at=at, updated_at=at)

    @classmethod
    def service(cls, user_id: UserId, name: DisplayName, at: datetime) -> "User":
        """An internal client. It has no password, and no mailbox: the address only keeps it apart."""
        email = EmailAddress(f"{user_id.hex}@service.invalid")
        return cls(user_id, email, name, Role.SERVICE, NO_PASSWORD, created_at=at, updated_at=at)

    def keep_hash(self, password_hash: str, at: datetime) -> None:
        """Replace the hash by another one of the same password, made with today's parameters."""
        self.password_hash = password_hash
        self.updated_at = at

    def give_role(self, role: Role, at: datetime) -> bool:
        """Give another role; whether it was another. Services keep theirs, and nobody becomes one."""
        if self.role is role:
            return False
        self.role = role
        self.updated_at = at
        return True

    def disable(self, at: datetime) -> bool:
        """Shut the account; whether it was open."""
        return self._turn(UserStatus.ACTIVE, UserStatus.DISABLED, at)

    def enable(self, at: datetime) -> bool:
        """Open the account; whether it was shut."""
        return self._turn(UserStatus.DISABLED, UserStatus.ACTIVE, at)

    def change_password(self, password_hash: str, at: datetime) -> None:
        """Replace the hash by another password's. Whoever calls this ends the user's sessions in the same transaction."""
        self.password_hash = password_hash
        self.updated_at = at

    def confirm_email(self, at: datetime) -> None:
        """Note that the user reads the address's mail. Confirming again changes nothing: the first time counts."""
        if self.email_confirmed_at is None:
            self.email_confirmed_at = at
            self.updated_at = at

    def _turn(self, before: UserStatus, after: UserStatus, at: datetime) -> bool:
        if self.status is not before:
            return False
        self.status = after
        self.updated_at = at
        return True
