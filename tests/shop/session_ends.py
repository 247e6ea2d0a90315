"""Every way in which a session ends, as tests try them all: ends of a device's session, with another device of its user."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace

import pytest

from kapda.domain.identity.mailed_link import LinkPurpose
from kapda.domain.identity.principal import Principal
from kapda.domain.identity.use_cases.change_password import ChangePasswordCommand
from kapda.domain.identity.use_cases.delete_my_account import DeleteMyAccountCommand
from kapda.domain.identity.use_cases.disable_user import DisableUserCommand
from kapda.domain.identity.use_cases.end_session import EndSessionCommand
from kapda.domain.identity.use_cases.end_user_sessions import EndUserSessionsCommand
from kapda.domain.identity.use_cases.log_out import LogOutCommand
from kapda.domain.identity.use_cases.log_out_everywhere import LogOutEverywhereCommand
from kapda.domain.identity.use_cases.password_confirmation import PasswordConfirmation
from kapda.domain.identity.use_cases.reset_password import ResetPasswordCommand
from kapda.domain.identity.use_cases.set_user_role import SetUserRoleCommand
from kapda.domain.identity.user import Role
from kapda.domain.shared.audit import Occasion
from kapda.domain.shared.errors import Reason, UnauthenticatedError
from kapda.domain.shared.ids import UserId
from kapda.entrypoints.container import Container
from tests.fakes.identity import ReadablePasswordHasher
from tests.fakes.log_ins import open_guard
from tests.shop.desk import a_proof
from tests.shop.devices import Device
from tests.shop.links import link
from tests.shop.shop import Shop, new_request

PASSWORD = "Nine-yards-of-indigo-9"


async def somebody(shop: Shop) -> UserId:
    """A customer who may be given any role, and whose password is PASSWORD where passwords cost nothing."""
    user = await shop.customer()
    await shop.sql(
        "UPDATE users SET password_hash = :hash, email_confirmed_at = now() WHERE id = :id",
        hash=f"1:{PASSWORD}",
        id=user,
    )
    return user


async def log_out(shop: Shop, device: Device, _elsewhere: Device) -> None:
    """On the device."""
    await shop.door().log_out().execute(LogOutCommand(device.principal))


async def log_out_everywhere(shop: Shop, device: Device, _elsewhere: Device) -> None:
    """From the device, whose own session ends with the others."""
    await shop.door().log_out_everywhere().execute(LogOutEverywhereCommand(device.principal))


async def log_out_everywhere_else(shop: Shop, _device: Device, elsewhere: Device) -> None:
    """From the other device, which goes on."""
    command = LogOutEverywhereCommand(elsewhere.principal, keep_current=True)
    await shop.door().log_out_everywhere().execute(command)


async def end_the_session(shop: Shop, device: Device, elsewhere: Device) -> None:
    """From the other device, by the list of sessions."""
    command = EndSessionCommand(elsewhere.principal.user_id, device.session.id)
    await shop.door().end_session().execute(command)


async def change_the_password(shop: Shop, _device: Device, elsewhere: Device) -> None:
    """From the other device, to what it is already: so it may be done many times over, and at the same moment."""
    door = shop.door()
    whole = door.change_password()
    changer = replace(whole.changer, passwords=ReadablePasswordHasher())
    change = replace(whole, confirmation=_confirmation(door), changer=changer)
    await change.execute(ChangePasswordCommand(elsewhere.principal, PASSWORD, PASSWORD))


async def reset_the_password(shop: Shop, device: Device, _elsewhere: Device) -> None:
    """By a mailed link, to what it is already."""
    token = await link(shop, device.session.user_id, LinkPurpose.RESET_PASSWORD)
    whole = shop.door().reset_password()
    cheap = replace(whole, changer=replace(whole.changer, passwords=ReadablePasswordHasher()))
    await cheap.execute(ResetPasswordCommand(token.text, PASSWORD))


async def give_another_role(shop: Shop, device: Device, _elsewhere: Device) -> None:
    """By an admin, to a customer."""
    admin = await shop.admin()
    command = SetUserRoleCommand(
        admin, because(admin), a_proof(admin), new_request(), device.session.user_id, Role.BRAND
    )
    await shop.door().set_user_role().execute(command)


async def disable(shop: Shop, device: Device, _elsewhere: Device) -> None:
    """By an admin."""
    admin = await shop.admin()
    command = DisableUserCommand(admin, because(admin), new_request(), device.session.user_id)
    await shop.door().disable_user().execute(command)


async def end_the_users_sessions(shop: Shop, device: Device, _elsewhere: Device) -> None:
    """By an admin, who leaves the account as it is."""
    admin = await shop.admin()
    command = EndUserSessionsCommand(admin, because(admin), new_request(), device.session.user_id)
    await shop.door().end_user_sessions().execute(command)


async def delete_the_account(shop: Shop, _device: Device, elsewhere: Device) -> None:
    """From the other device."""
    door = shop.door()
    delete = replace(door.delete_my_account(), confirmation=_confirmation(door))
    await delete.execute(DeleteMyAccountCommand(elsewhere.principal, PASSWORD))


async def use_a_refresh_token_again(_shop: Shop, device: Device, _elsewhere: Device) -> None:
    """After its grace: it is in two hands."""
    await device.refresh()
    await device.lets_time_pass()
    with pytest.raises(UnauthenticatedError) as refusal:
        await device.refresh()
    assert refusal.value.reason is Reason.REFRESH_TOKEN_REUSED


async def refresh_an_account_disabled_by_hand(shop: Shop, device: Device, elsewhere: Device) -> None:
    """Somebody shut the account in the database, past all of our code; its other device comes for new tokens."""
    await shop.sql("UPDATE users SET status = 'disabled' WHERE id = :id", id=device.session.user_id)
    with pytest.raises(UnauthenticatedError) as refusal:
        await elsewhere.refresh()
    assert refusal.value.reason is Reason.SESSION_REVOKED


def because(admin: Principal) -> Occasion:
    """Why an admin does it."""
    return Occasion(admin.actor, "call-12345678", "the end of a session")


def _confirmation(container: Container) -> PasswordConfirmation:
    """The container's own, with passwords that cost nothing and are not counted."""
    guard = open_guard(container.unit_of_work, container.ids(), container.clock())
    return replace(container.password_confirmation(), guard=guard, passwords=ReadablePasswordHasher())


@dataclass(frozen=True)
class End:
    """A way in which the session of a device ends, and whether the one of the user's other device goes on."""

    make: Callable[[Shop, Device, Device], Awaitable[None]]
    spares_elsewhere: bool

    def __str__(self) -> str:
        return self.make.__name__


ENDS: Sequence[End] = (
    End(log_out, spares_elsewhere=True),
    End(log_out_everywhere, spares_elsewhere=False),
    End(log_out_everywhere_else, spares_elsewhere=True),
    End(end_the_session, spares_elsewhere=True),
    End(change_the_password, spares_elsewhere=True),
    End(reset_the_password, spares_elsewhere=False),
    End(give_another_role, spares_elsewhere=False),
    End(disable, spares_elsewhere=False),
    End(end_the_users_sessions, spares_elsewhere=False),
    End(delete_the_account, spares_elsewhere=False),
    End(use_a_refresh_token_again, spares_elsewhere=True),
    End(refresh_an_account_disabled_by_hand, spares_elsewhere=False),
)
