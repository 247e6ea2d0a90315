"""Change the profile."""

from collections.abc import Callable
from dataclasses import dataclass

from kapda.domain.identity.phone import never_given_out
from kapda.domain.identity.principal import Principal
from kapda.domain.identity.profile import Profile, ProfileChange
from kapda.domain.identity.profile_ports import PhoneNumbers, ProfileUnitOfWork
from kapda.domain.identity.session import session_over
from kapda.domain.shared.clock import Clock
from kapda.domain.shared.etag import version_of


@dataclass(frozen=True, slots=True)
class UpdateProfileCommand:
    """`etag` is of the profile as its owner saw it."""

    principal: Principal
    change: ProfileChange
    etag: str


@dataclass(frozen=True, slots=True)
class UpdateProfile:
    """Changes name and number; a change to what is there already changes nothing, the etag included."""

    unit_of_work: Callable[[], ProfileUnitOfWork]
    phone_numbers: PhoneNumbers
    clock: Clock

    async def execute(self, command: UpdateProfileCommand) -> Profile:
        """The profile as it is now. Raises InvalidArgumentError (VALIDATION_FAILED), AbortedError (ETAG_MISMATCH) or
        UnauthenticatedError (SESSION_REVOKED) when the account is gone."""
        version = version_of(command.etag)
        phone = command.change.phone
        if phone is not None and not self.phone_numbers.is_given_out(phone):
            raise never_given_out()
        async with self.unit_of_work() as uow:
            profile = await uow.profiles.lock(command.principal.user_id)
            if profile is None:
                raise session_over()
            profile.check_version(version)
            changed = profile.changed(command.change)
            if changed is not profile:
                await uow.profiles.save(changed, self.clock.now())
                await uow.commit()
        return changed
