"""Finds out whom mails go to and what they say, for many at once."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias
from uuid import UUID

from kapda.domain.identity.user import User
from kapda.domain.notifications.letters import Letter
from kapda.domain.notifications.mail import DropReason, Mail, MailOutcome, MailState
from kapda.domain.notifications.ports import NotificationUnitOfWork
from kapda.domain.notifications.use_cases.write_letter import ABOUT_ORDERS, WriteLetter
from kapda.domain.orders.order import Order
from kapda.domain.shared.clock import Clock
from kapda.domain.shared.errors import UnavailableError
from kapda.domain.shared.ids import MailId, OrderId

_Written: TypeAlias = tuple[User, Letter] | DropReason


@dataclass(frozen=True, slots=True)
class WriteLetters:
    """Nearly all letters are about orders. These change nothing, so what they say is read together and without a lock.

    Each other letter has a transaction of its own: it locks the user before the mail, as the deletion of an account does.
    """

    unit_of_work: Callable[[], NotificationUnitOfWork]
    reads: Callable[[], NotificationUnitOfWork]
    write_letter: WriteLetter
    clock: Clock

    async def execute(self, mails: Sequence[Mail]) -> Sequence[tuple[User, Letter] | MailOutcome]:
        """For each mail in turn the recipient and the letter, or what became of it without one.

        Raises UnavailableError when the database cannot take part.
        """
        about_orders = await self._about_orders([mail for mail in mails if mail.kind in ABOUT_ORDERS])
        return [
            MailOutcome.of(mail, MailState.DROPPED, written.value) if isinstance(written, DropReason) else written
            for mail in mails
            for written in [about_orders.get(mail.id) or await self._alone(mail)]
        ]

    async def _about_orders(self, mails: Sequence[Mail]) -> Mapping[MailId, _Written]:
        if not mails:
            return {}
        user_ids = {mail.user_id for mail in mails if mail.user_id is not None}
        order_ids = {OrderId(mail.subject_id) for mail in mails if mail.subject_id is not None}
        try:
            async with self.reads() as uow:
                users: dict[UUID | None, User] = {user.id: user for user in await uow.users.find_all(user_ids)}
                orders: dict[UUID | None, Order] = {one.id: one for one in await uow.orders.find_all(order_ids)}
        except UnavailableError:
            raise
        except Exception:  # noqa: BLE001 - a row that cannot be read spoils its own mail only: each is written alone
            return {}
        return {
            mail.id: self.write_letter.about_order(users.get(mail.user_id), orders.get(mail.subject_id))
            for mail in mails
        }

    async def _alone(self, mail: Mail) -> _Written | MailOutcome:
        try:
            async with self.unit_of_work() as uow:
                written = await self.write_letter.execute(uow, mail)
                await uow.commit()
        except UnavailableError:
            raise
        except Exception as error:  # noqa: BLE001 - the others are written whatever is wrong with one
            return MailOutcome.failed(mail, error, self.clock.now())
        return written
