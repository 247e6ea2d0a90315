"""The queue of mails as its port promises."""

from dataclasses import replace
from datetime import timedelta
from uuid import UUID

from kapda.domain.checkout.checkout import CheckoutState
from kapda.domain.notifications.mail import Mail, MailOutcome, MailState, RefundMail
from kapda.domain.payments.refund import Refund, RefundKind, RefundState
from kapda.domain.shared.ids import MailId, RefundId
from kapda.domain.shared.mails import MailKind, MailRequest
from tests.contracts.notifications.conftest import Store
from tests.fakes.samples import ASHA, NOON, checkout_in, kept_payment, rupees

MINUTE = timedelta(minutes=1)
ORDER = UUID(int=0x0D)


def about_order(number: int = 1, kind: MailKind = MailKind.ORDER_PLACED, minutes: int = 0) -> MailRequest:
    return MailRequest.to_user(UUID(int=number), kind, ASHA, NOON + minutes * MINUTE, ORDER)


def to_address(number: int, address: str = "Asha@example.in") -> MailRequest:
    return MailRequest.to_address(UUID(int=number), MailKind.RESET_PASSWORD, address, NOON)


async def queue(store: Store, *mails: MailRequest) -> None:
    for mail in mails:
        async with store() as uow:
            await uow.mails.queue(mail)
            await uow.commit()


async def take(store: Store, minutes: int = 0, limit: int = 10) -> dict[int, Mail]:
    """The mails that are due after so many minutes, each taken for one minute."""
    at = NOON + minutes * MINUTE
    async with store() as uow:
        mails = await uow.mails.take(at, at + MINUTE, limit)
        await uow.commit()
    return {mail.id.int: mail for mail in mails}


async def due(store: Store, minutes: int = 0, limit: int = 10) -> list[int]:
    """Which are due, found by taking them and thinking better of it."""
    at = NOON + minutes * MINUTE
    async with store() as uow:
        return sorted(mail.id.int for mail in await uow.mails.take(at, at + MINUTE, limit))


async def record(store: Store, *outcomes: MailOutcome) -> None:
    async with store() as uow:
        await uow.mails.record(outcomes, NOON)
        await uow.commit()


def ended(number: int, state: MailState = MailState.SENT, kind: MailKind = MailKind.ORDER_PLACED) -> MailOutcome:
    return MailOutcome(MailId(UUID(int=number)), kind, state, "why")


def postponed(number: int, minutes: int) -> MailOutcome:
    return replace(ended(number, MailState.QUEUED), next_attempt_at=NOON + minutes * MINUTE)


async def test_a_mail_is_queued_with_the_commit_or_not_at_all(store: Store) -> None:
    async with store() as uow:
        await uow.mails.queue(about_order())
    assert await due(store) == []
    await queue(store, about_order())
    assert await due(store) == [1]


async def test_many_mails_are_queued_as_one_would_be_and_each_only_once(store: Store) -> None:
    other = MailRequest.to_user(UUID(int=4), MailKind.ORDER_PLACED, ASHA, NOON, UUID(int=0x0E))
    async with store() as uow:
        await uow.mails.queue()
        await uow.mails.queue(about_order(1), about_order(2), about_order(3, MailKind.ORDER_CANCELLED), other)
        await uow.commit()
    assert await due(store) == [1, 3, 4]
    await queue(store, about_order(5), to_address(6))
    assert await due(store) == [1, 3, 4, 6]


async def test_a_taken_mail_is_nobody_elses_until_its_lease_is_over(store: Store) -> None:
    await queue(store, about_order())
    mail = Mail(MailId(UUID(int=1)), MailKind.ORDER_PLACED, ASHA, None, ORDER, None, 1, NOON)
    assert await take(store) == {1: mail}
    assert await take(store) == {}
    assert await take(store, minutes=1) == {1: replace(mail, attempts=2)}


async def test_a_mail_that_was_taken_and_rolled_back_was_not_taken(store: Store) -> None:
    await queue(store, about_order())
    async with store() as uow:
        assert len(await uow.mails.take(NOON, NOON + MINUTE, 10)) == 1
    assert (await take(store))[1].attempts == 1


async def test_there_is_one_mail_a_kind_and_subject_also_after_it_was_sent(store: Store) -> None:
    await queue(store, about_order(1), about_order(2), about_order(3, MailKind.ORDER_CANCELLED))
    assert await due(store) == [1, 3]
    await record(store, ended(1))
    await queue(store, about_order(4))
    assert await due(store) == [3]


async def refunds(store: Store, *numbers: int) -> list[RefundId]:
    """Refunds of Asha's payment."""
    checkout = checkout_in(CheckoutState.OPENING)
    payment = kept_payment(checkout)
    kept = [
        Refund(
            id=RefundId(UUID(int=0x4E00 + number)),
            kind=RefundKind.CASE,
            payment_id=payment.id,
            gateway_payment_id=payment.gateway_payment_id,
            order_id=None,
            case_id=None,
            amount=rupees(100),
            state=RefundState.REQUESTED,
            gateway_refund_id=None,
            reason="a torn seam",
            actor="desk",
            requested_at=NOON,
        )
        for number in numbers
    ]
    async with store() as uow:
        await uow.checkouts.add(checkout, NOON, NOON)
        await uow.payments.add(payment)
        for refund in kept:
            await uow.refunds.add(refund, NOON)
        await uow.commit()
    return [refund.id for refund in kept]


def about_refund(number: int, refund_id: RefundId, kind: MailKind = MailKind.REFUND_PROCESSED) -> RefundMail:
    return RefundMail(MailId(UUID(int=number)), kind, refund_id, NOON)


async def test_mails_about_refunds_go_to_whoever_paid_and_each_only_once(store: Store) -> None:
    first, second = await refunds(store, 1, 2)
    nobody_knows = RefundId(UUID(int=0x4EFF))
    for _ in range(2):
        async with store() as uow:
            await uow.mails.queue_to_payers()
            await uow.mails.queue_to_payers(
                about_refund(4, second),
                about_refund(1, first),
                about_refund(2, first),
                about_refund(3, first, MailKind.REFUND_REQUESTED),
                about_refund(5, nobody_knows),
            )
            await uow.commit()
    taken = await take(store)
    assert {number: (mail.user_id, mail.subject_id) for number, mail in taken.items()} == {
        1: (ASHA, first),
        3: (ASHA, first),
        4: (ASHA, second),
    }


async def test_there_is_one_mail_a_kind_and_address_until_the_account_is_known(store: Store) -> None:
    await queue(store, to_address(1), to_address(2, "asha@EXAMPLE.in"), to_address(3, "binod@example.in"))
    assert await due(store) == [1, 3]
    async with store() as uow:
        await uow.mails.addressed(MailId(UUID(int=1)), ASHA)
        await uow.commit()
    await queue(store, to_address(4))
    assert await due(store) == [1, 3, 4]
    mail = (await take(store))[1]
    assert (mail.user_id, mail.address) == (ASHA, None)


async def test_a_postponed_mail_waits_and_an_ended_one_stays_ended(store: Store) -> None:
    await queue(store, about_order(1), to_address(2))
    await record(store, postponed(1, 5), ended(2, MailState.DROPPED, MailKind.RESET_PASSWORD))
    await record(store, postponed(2, 0))
    assert await due(store, 4) == []
    assert await due(store, 5) == [1]
    assert await due(store, 60) == [1]


async def test_a_mail_that_has_gone_meanwhile_is_no_trouble_to_the_others(store: Store) -> None:
    await queue(store, about_order(1))
    await record(store, ended(7), ended(1))
    assert await due(store, 60) == []


async def test_the_longest_waiting_are_taken_first(store: Store) -> None:
    await queue(store, about_order(1, minutes=2), to_address(2))
    assert await due(store, 1) == [2]
    assert await due(store, 2) == [1, 2]
    assert await due(store, 2, limit=1) == [2]
