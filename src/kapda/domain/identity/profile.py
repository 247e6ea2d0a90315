"""What somebody tells of themselves, beside the account that it belongs to."""

from dataclasses import dataclass, replace
from datetime import datetime

from kapda.domain.identity.phone import PhoneNumber
from kapda.domain.identity.user import DisplayName, EmailAddress
from kapda.domain.shared.errors import AbortedError, Reason
from kapda.domain.shared.etag import etag_of
from kapda.domain.shared.ids import UserId


@dataclass(frozen=True, slots=True)
class Profile:
    """`version` grows by one with every change that the user makes here. `email_confirmed_at` is None until a mailed link
    was followed."""

    user_id: UserId
    email: EmailAddress
    display_name: DisplayName
    phone: PhoneNumber | None
    version: int
    created_at: datetime
    email_confirmed_at: datetime | None = None

    @property
    def etag(self) -> str:
        """Changes with every change."""
        return etag_of(self.version)

    def check_version(self, version: int) -> None:
        """Raises AbortedError (ETAG_MISMATCH) unless it is today's."""
        if version != self.version:
            raise AbortedError(
                Reason.ETAG_MISMATCH, "the profile has changed since it was read", metadata={"etag": self.etag}
            )

    def changed(self, change: "ProfileChange") -> "Profile":
        """The profile with the change made; itself where the change says what it says already."""
        changed = replace(
            self,
            display_name=change.display_name or self.display_name,
            phone=change.phone if change.sets_phone else self.phone,
        )
        return self if changed == self else replace(changed, version=self.version + 1)


@dataclass(frozen=True, slots=True)
class ProfileChange:
    """What to change: a name of None stays, and so does the number unless `sets_phone`, where None takes it away."""

    display_name: DisplayName | None = None
    phone: PhoneNumber | None = None
    sets_phone: bool = False
