"""Finds out whom a mail goes to and what it says."""

from dataclasses import dataclass

from kapda.domain.identity.mail_ports import LinkTokens
from kapda.domain.identity.mailed_link import LinkPurpose, MailedLink
from kapda.domain.identity.user import EmailAddress, User
from kapda.domain.notifications.letters import (
    GivenBackLetter,
    Letter,
    LinkLetter,
    OrderLetter,
    PasswordChangedLetter,
    RefundLetter,
    WebPages,
)
from kapda.domain.notifications.mail import LINK_PURPOSES, LINKS_WITHIN, MAX_LINKS, DropReason, Mail
from kapda.domain.notifications.ports import NotificationUnitOfWork
from kapda.domain.orders.order import Order
from kapda.domain.shared.clock import Clock
from kapda.domain.shared.ids import CheckoutId, IdGenerator, LinkId, OrderId, RefundId
from kapda.domain.shared.mails import MailKind

ABOUT_ORDERS = frozenset({MailKind.ORDER_PLACED, MailKind.ORDER_CANCELLED})


@dataclass(frozen=True, slots=True)
class WriteLetter:
    """Reads everything in one transaction, in which it makes the link that a mail carries.

    A link that a mail carried before is mailed again while it works; one that has expired meanwhile, or was made with
    a key that is no longer ours, is replaced; one that is over ends the mail.
    """

    link_tokens: LinkTokens
    pages: WebPages
    ids: IdGenerator
    clock: Clock

    async def execute(self, uow: NotificationUnitOfWork, mail: Mail) -> tuple[User, Letter] | DropReason:
        """The recipient and the letter, or why there is none."""
        user = await self._recipient(uow, mail)
        if user is None or not user.is_active:
            return _no_recipient(user)
        if mail.address is not None:
            await uow.mails.addressed(mail.id, user.id)
        letter = await self._letter(uow, mail, user)
        return letter if isinstance(letter, DropReason) else (user, letter)

    def about_order(self, user: User | None, order: Order | None) -> tuple[User, Letter] | DropReason:
        """The same for a letter of ABOUT_ORDERS, whose recipient and order are read already."""
        if user is None or not user.is_active:
            return _no_recipient(user)
        letter = self._order_letter(order, user)
        return letter if isinstance(letter, DropReason) else (user, letter)

    async def _recipient(self, uow: NotificationUnitOfWork, mail: Mail) -> User | None:
        user_id = mail.user_id
        if mail.address is not None:
            found = await uow.users.find_by_email(EmailAddress(mail.address))
            user_id = found.id if found else None
        # Links of a user are made one after the other.
        return None if user_id is None else await uow.users.lock(user_id)

    async def _letter(self, uow: NotificationUnitOfWork, mail: Mail, user: User) -> Letter | DropReason:
        match mail.kind:
            case MailKind.RESET_PASSWORD | MailKind.CONFIRM_EMAIL | MailKind.UNLOCK:
                return await self._link_letter(uow, mail, user, LINK_PURPOSES[mail.kind])
            case MailKind.PASSWORD_CHANGED:
                return PasswordChangedLetter(mail.queued_at, self.pages.forgot_password)
            case MailKind.ORDER_PLACED | MailKind.ORDER_CANCELLED:
                order = await uow.orders.get(OrderId(mail.subject_id), None) if mail.subject_id else None
                return self._order_letter(order, user)
            case MailKind.REFUND_REQUESTED | MailKind.REFUND_PROCESSED:
                return await self._refund_letter(uow, mail)
            case MailKind.PAYMENT_GIVEN_BACK:
                checkout = await uow.checkouts.get(CheckoutId(mail.subject_id), user.id) if mail.subject_id else None
                return DropReason.NO_SUBJECT if checkout is None else GivenBackLetter(checkout.total, self.pages.orders)

    def _order_letter(self, order: Order | None, user: User) -> Letter | DropReason:
        if order is None or order.customer_id != user.id:
            return DropReason.NO_SUBJECT
        return OrderLetter(order, self.pages.order(order.id))

    async def _refund_letter(self, uow: NotificationUnitOfWork, mail: Mail) -> Letter | DropReason:
        refund = await uow.refunds.get(RefundId(mail.subject_id)) if mail.subject_id else None
        if refund is None:
            return DropReason.NO_SUBJECT
        order = await uow.orders.get(refund.order_id, mail.user_id) if refund.order_id else None
        if order is not None:
            return RefundLetter(refund.amount, order.number, self.pages.order(order.id))
        case = await uow.cases.find(refund.case_id) if refund.case_id else None
        # A case of a refund is about money of an order, and no news to whoever was told of the first try.
        no_order = case.kind if case is not None and case.refund_id is None else None
        return RefundLetter(refund.amount, None, self.pages.orders, no_order)

    async def _link_letter(
        self, uow: NotificationUnitOfWork, mail: Mail, user: User, purpose: LinkPurpose
    ) -> Letter | DropReason:
        if purpose is LinkPurpose.CONFIRM_EMAIL and user.email_confirmed_at is not None:
            return DropReason.ALREADY_CONFIRMED
        link = await uow.mailed_links.find(mail.link_id) if mail.link_id is not None else None
        if link is not None and link.closed_at is not None:
            return DropReason.LINK_OVER
        token = self.link_tokens.token_for(link.id, purpose) if link is not None else None
        if link is None or token is None or not link.works_with(token, purpose, self.clock.now()):
            since = self.clock.now() - LINKS_WITHIN
            if await uow.mailed_links.made_since(user.id, purpose, since) >= MAX_LINKS:
                return DropReason.TOO_MANY_LINKS
            token = self.link_tokens.token_for(LinkId(self.ids.new()), purpose)
            await uow.mailed_links.add(MailedLink.made(token, purpose, user.id, user.email.key, self.clock.now()))
            await uow.mails.linked(mail.id, token.link_id)
        return LinkLetter(purpose, self.pages.link(purpose, token.text), purpose.life)


def _no_recipient(user: User | None) -> DropReason:
    return DropReason.NO_ACCOUNT if user is None else DropReason.ACCOUNT_NOT_ACTIVE
