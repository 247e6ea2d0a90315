"""A mail goes to whom it is for, says what is true, and is tried until somebody took it or refused it for good."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from email import message_from_bytes
from uuid import UUID

import pytest

from kapda.adapters.crypto.link_tokens import HmacLinkTokens
from kapda.adapters.mail.jinja_composer import JinjaComposer
from kapda.adapters.mail.mime import Sender, to_message
from kapda.domain.checkout.checkout import CheckoutState
from kapda.domain.identity.user import DisplayName, EmailAddress, User, UserStatus
from kapda.domain.notifications.letters import OutgoingMail, WebPages
from kapda.domain.notifications.mail import LEASE, MAX_LINKS, MailOutcome, MailState, retry_delay
from kapda.domain.notifications.mailing_sink import MailingSink
from kapda.domain.notifications.ports import MailRefusedError, MailUnavailableError
from kapda.domain.notifications.use_cases.send_mails import AT_ONCE, SendMails
from kapda.domain.notifications.use_cases.write_letter import WriteLetter
from kapda.domain.notifications.use_cases.write_letters import WriteLetters
from kapda.domain.orders.order import Order, place
from kapda.domain.orders.use_cases.refunder import Refunder, refund_event
from kapda.domain.payments.payment_case import CaseKind, CaseState, PaymentCase
from kapda.domain.payments.refund import Refund, RefundKind, RefundState
from kapda.domain.shared.events import DomainEvent, SequencedEvent
from kapda.domain.shared.ids import CaseId, MailId, OrderId, PaymentId, RefundId
from kapda.domain.shared.mails import MailKind, MailRequest
from tests.fakes import samples
from tests.fakes.database import InMemoryDatabase
from tests.fakes.identity import CountingIds, SettableClock
from tests.fakes.outbox import Outbox
from tests.fakes.samples import ASHA, BINOD, NOON
from tests.waiting import until

TOKENS = HmacLinkTokens(bytes(range(32)))


class Silent:
    """An EventSink that keeps nothing."""

    async def publish(self, events: object) -> None:
        return None


class PostOffice:
    """Asha's account and everything that sends mails."""

    def __init__(self) -> None:
        self.database = InMemoryDatabase()
        self.clock = SettableClock(NOON)
        self.ids = CountingIds(1_000)
        self.out = Outbox(self.database)
        self.asha = User.signed_up(ASHA, EmailAddress("Asha@Example.in"), DisplayName("Asha <b>Rao</b>"), "hash", NOON)
        self.database.tables.users[ASHA] = self.asha
        begin = self.database.unit_of_work
        writer = WriteLetter(TOKENS, WebPages("https://kapda.test"), self.ids, self.clock)
        writers = WriteLetters(begin, begin, writer, self.clock)
        self.send_mails = SendMails(begin, writers, JinjaComposer(), self.out, self.clock)

    async def queue(self, mail: MailRequest) -> None:
        async with self.database.unit_of_work() as uow:
            await uow.mails.queue(mail)
            await uow.commit()

    async def send(self) -> Sequence[MailOutcome]:
        return await self.send_mails.execute()

    async def forgot(self, number: int = 1, address: str = "asha@example.in") -> MailOutcome:
        await self.queue(MailRequest.to_address(UUID(int=number), MailKind.RESET_PASSWORD, address, self.clock.now()))
        (outcome,) = await self.send()
        return outcome

    def token(self, index: int = -1) -> str:
        text = self.out.mails[index].content.text
        return text.partition("#token=")[2].split()[0]


@pytest.fixture
def office() -> PostOffice:
    return PostOffice()


def reset_mail(state: MailState, detail: str = "") -> MailOutcome:
    return MailOutcome(MailId(UUID(int=1)), MailKind.RESET_PASSWORD, state, detail)


def an_order() -> Order:
    checkout = samples.checkout_in(CheckoutState.OPEN, samples.checkout_line(1))
    return place(
        checkout,
        order_id=OrderId(UUID(int=0x0D)),
        number="K100001",
        payment_id=PaymentId(UUID(int=3)),
        actor="x",
        at=NOON,
    )


async def test_a_reset_goes_to_the_accounts_own_address_with_a_link_that_the_database_cannot_make(
    office: PostOffice,
) -> None:
    assert await office.forgot() == reset_mail(MailState.SENT)
    (mail,) = office.out.mails
    assert mail.to.text == "Asha@Example.in"
    assert "https://kapda.test/reset-password#token=" in mail.content.text
    assert office.token() in mail.content.html
    assert office.token() not in repr(office.database.tables)
    assert office.token() not in repr(mail)
    assert "asha@example.in" not in repr(list(office.database.tables.mails.values()))


async def test_an_address_without_an_account_is_told_nothing_and_forgotten(office: PostOffice) -> None:
    assert await office.forgot(address="nobody@example.in") == reset_mail(MailState.DROPPED, "no_account")
    assert office.out.mails == []
    assert "nobody" not in repr(office.database.tables.mails)


@pytest.mark.parametrize("status", [UserStatus.DISABLED, UserStatus.DELETED])
async def test_an_account_that_is_shut_gets_no_mail(office: PostOffice, status: UserStatus) -> None:
    office.asha.status = status
    outcome = await office.forgot()
    assert (outcome.state, outcome.detail, office.out.mails) == (MailState.DROPPED, "account_not_active", [])


async def test_a_mail_that_is_not_taken_waits_longer_each_time_and_never_runs_out(office: PostOffice) -> None:
    office.out.error = MailUnavailableError("421")
    await office.forgot()
    for attempt in range(1, 12):
        row = office.database.tables.mails[MailId(UUID(int=1))]
        assert row.next_attempt_at == office.clock.now() + retry_delay(attempt)
        office.clock.advance(retry_delay(attempt) - timedelta(microseconds=1))
        assert await office.send() == []
        office.clock.advance(timedelta(microseconds=1))
        (outcome,) = await office.send()
        again = office.clock.now() + retry_delay(attempt + 1)
        assert outcome == replace(reset_mail(MailState.QUEUED, "421"), next_attempt_at=again)
    office.out.error = None
    office.clock.advance(timedelta(hours=1))
    assert await office.send() == [reset_mail(MailState.SENT)]
    assert [mail.date for mail in office.out.mails] == [NOON]


async def test_a_letter_refused_for_good_is_not_tried_again(office: PostOffice) -> None:
    office.out.error = MailRefusedError(550)
    assert await office.forgot() == reset_mail(MailState.REFUSED, "550")
    office.clock.advance(timedelta(days=1))
    assert await office.send() == []


async def test_a_worker_that_died_with_a_mail_leaves_it_due_under_the_same_id_and_link(office: PostOffice) -> None:
    class KilledError(BaseException):
        """The process ended here."""

    await office.queue(MailRequest.to_user(UUID(int=1), MailKind.RESET_PASSWORD, ASHA, NOON))
    commits = office.database.commits
    original = office.out.send

    async def accepted_then_killed(mail: OutgoingMail) -> None:
        await original(mail)
        raise KilledError

    object.__setattr__(office.send_mails, "sender", type("Dying", (), {"send": staticmethod(accepted_then_killed)})())
    with pytest.raises(KilledError):
        await office.send()
    assert office.database.commits == commits + 2
    object.__setattr__(office.send_mails, "sender", office.out)
    assert await office.send() == []
    office.clock.advance(LEASE)
    await office.send()
    sender = Sender("K", "no-reply@kapda.test")
    first, second = (message_from_bytes(to_message(mail, sender)) for mail in office.out.mails)
    assert (first["Message-ID"], first["Date"]) == (second["Message-ID"], second["Date"])
    assert office.token(0) == office.token(1)


async def test_a_retry_after_its_link_expired_carries_a_new_one_and_one_whose_link_is_over_is_dropped(
    office: PostOffice,
) -> None:
    office.out.error = MailUnavailableError("451")
    await office.forgot(1)
    office.clock.advance(timedelta(hours=2))
    office.out.error = None
    await office.send()
    token = TOKENS.read(office.token(), next(iter(office.database.tables.mailed_links.values())).purpose)
    assert token is not None
    assert office.database.tables.mailed_links[token.link_id].created_at == office.clock.now()
    office.out.error = MailUnavailableError("451")
    await office.forgot(2)
    await office.forgot(3)
    office.clock.advance(timedelta(minutes=1))
    outcomes = {outcome.mail_id.int: (outcome.state, outcome.detail) for outcome in await office.send()}
    assert outcomes == {2: (MailState.DROPPED, "link_over"), 3: (MailState.QUEUED, "451")}


async def test_nobody_fills_a_mailbox_with_links(office: PostOffice) -> None:
    for number in range(1, MAX_LINKS + 1):
        await office.forgot(number)
    outcome = await office.forgot(99)
    assert (outcome.state, outcome.detail) == (MailState.DROPPED, "too_many_links")
    assert len(office.out.mails) == MAX_LINKS


async def test_an_order_that_was_placed_is_told_once_however_often_its_event_comes(office: PostOffice) -> None:
    order = an_order()
    office.database.tables.orders[order.id] = replace(order, customer_id=ASHA)
    fact = DomainEvent("order", order.id, "order.placed", NOON, {"customer_id": str(ASHA)})
    sink = MailingSink(Silent(), office.database.unit_of_work, office.ids, office.clock)
    for _ in range(2):
        await sink.publish([SequencedEvent(1, fact)])
    assert len(office.database.tables.mails) == 1
    await office.send()
    (mail,) = office.out.mails
    assert mail.content.subject == "Your order K100001"
    assert "Handblock kurta" in mail.content.text
    assert "₹1,499.00" in mail.content.html
    assert f"https://kapda.test/orders/{order.id}" in mail.content.html


@pytest.mark.parametrize(
    ("step", "kind", "mailed"),
    [
        ("requested", RefundKind.ORDER_LINES, "Your refund is on its way"),
        ("requested", RefundKind.CASE, "Your refund is on its way"),
        # The cancellation's own mail says that the money goes back.
        ("requested", RefundKind.ORDER_CANCELLED, None),
        ("processed", RefundKind.ORDER_CANCELLED, "Your refund has been paid"),
        ("processed", RefundKind.DASHBOARD, "Your refund has been paid"),
        ("failed", RefundKind.ORDER_LINES, None),
    ],
)
async def test_a_refund_is_told_to_whoever_paid(
    office: PostOffice, step: str, kind: RefundKind, mailed: str | None
) -> None:
    checkout = samples.checkout_in(CheckoutState.OPEN)
    payment = samples.kept_payment(checkout)
    refund = Refund(
        id=RefundId(UUID(int=0x4E)),
        kind=kind,
        payment_id=payment.id,
        gateway_payment_id=payment.gateway_payment_id,
        order_id=None,
        case_id=None,
        amount=samples.rupees(1_200),
        state=RefundState.REQUESTED,
        gateway_refund_id=None,
        reason="a torn seam",
        actor="desk",
        requested_at=NOON,
    )
    async with office.database.unit_of_work() as uow:
        await uow.checkouts.add(checkout, NOON, NOON)
        await uow.payments.add(payment)
        await uow.refunds.add(refund, NOON)
        await uow.commit()
    sink = MailingSink(Silent(), office.database.unit_of_work, office.ids, office.clock)
    for _ in range(2):
        await sink.publish([SequencedEvent(1, refund_event(refund, f"refund.{step}"))])
    await office.send()
    assert [(mail.to.text, mail.content.subject) for mail in office.out.mails] == (
        [("Asha@Example.in", mailed)] if mailed else []
    )
    assert all("₹1,200.00" in mail.content.text for mail in office.out.mails)


@pytest.mark.parametrize(
    ("kind", "about_refund", "subject", "says"),
    [
        (CaseKind.STOCK_GONE, False, "Your payment is on its way back", "the pieces were sold"),
        (CaseKind.SECOND_PAYMENT, False, "Your payment is on its way back", "your order had been paid already"),
        (CaseKind.AMOUNT_MISMATCH, False, "Your payment is on its way back", "could not become an order."),
        (CaseKind.REFUND_FAILED, True, "Your refund is on its way", "₹1,499.00 goes back"),
    ],
)
async def test_r1_whose_payment_became_no_order_is_told_why_it_goes_back(
    office: PostOffice, kind: CaseKind, about_refund: bool, subject: str, says: str
) -> None:
    checkout = samples.checkout_in(CheckoutState.OPEN)
    payment = samples.kept_payment(checkout)
    case = PaymentCase(
        id=CaseId(UUID(int=0xCA5E)),
        kind=kind,
        gateway_payment_id=payment.gateway_payment_id,
        payment_id=payment.id,
        checkout_id=checkout.id,
        refund_id=RefundId(UUID(int=0x4F)) if about_refund else None,
        amount=payment.amount,
        evidence={},
        state=CaseState.OPEN,
        opened_at=NOON,
    )
    async with office.database.unit_of_work() as uow:
        await uow.checkouts.add(checkout, NOON, NOON)
        await uow.payments.add(payment)
        await uow.cases.add(case)
        refund = await Refunder(office.clock, office.ids).of_case(
            uow, case, payment, reason="finisher", actor="finisher"
        )
        await uow.commit()
    sink = MailingSink(Silent(), office.database.unit_of_work, office.ids, office.clock)
    await sink.publish([SequencedEvent(1, refund_event(refund, "refund.requested"))])
    await office.send()
    (mail,) = office.out.mails
    assert (mail.to.text, mail.content.subject) == ("Asha@Example.in", subject)
    assert says in mail.content.text
    assert says in mail.content.html


async def order_mails(office: PostOffice, *numbers: int) -> None:
    """A mail to Asha for each of her orders, all of these numbers."""
    for number in numbers:
        order = replace(an_order(), id=OrderId(UUID(int=number)), customer_id=ASHA)
        office.database.tables.orders[order.id] = order
        await office.queue(MailRequest.to_user(UUID(int=number), MailKind.ORDER_PLACED, ASHA, NOON, order.id))


def states(office: PostOffice) -> dict[int, MailState]:
    return {mail_id.int: row.state for mail_id, row in office.database.tables.mails.items()}


async def test_many_mails_cost_as_many_transactions_as_one(office: PostOffice) -> None:
    await order_mails(office, *range(1, AT_ONCE + 1))
    commits = office.database.commits
    outcomes = await office.send()
    assert {outcome.state for outcome in outcomes} == {MailState.SENT}
    assert len(office.out.mails) == len(outcomes) == AT_ONCE
    # Taken, noted; and taken in vain.
    assert office.database.commits == commits + 3


async def test_more_than_fit_in_hand_are_all_sent(office: PostOffice) -> None:
    await order_mails(office, *range(1, 2 * AT_ONCE + 2))
    assert len(await office.send()) == 2 * AT_ONCE + 1
    assert set(states(office).values()) == {MailState.SENT}


async def test_what_is_wrong_with_one_mail_holds_up_no_other(office: PostOffice) -> None:
    await order_mails(office, 1, 2, 3, 4, 5)
    del office.database.tables.orders[OrderId(UUID(int=5))]
    office.out.errors = {1: MailRefusedError(550), 2: MailUnavailableError("421"), 3: UnicodeError("a defect")}
    came_to = {one.mail_id.int: (one.state, one.detail, type(one.error)) for one in await office.send()}
    assert came_to == {
        1: (MailState.REFUSED, "550", type(None)),
        2: (MailState.QUEUED, "421", type(None)),
        3: (MailState.QUEUED, "UnicodeError", UnicodeError),
        4: (MailState.SENT, "", type(None)),
        5: (MailState.DROPPED, "no_subject", type(None)),
    }


async def test_an_order_that_cannot_be_read_spoils_only_its_own_mail(office: PostOffice) -> None:
    await order_mails(office, 1, 2, 3)
    office.database.tables.orders[OrderId(UUID(int=2))] = Unreadable()  # type: ignore[assignment]
    assert {one.mail_id.int: one.detail for one in await office.send()} == {1: "", 2: "KeyError", 3: ""}
    assert states(office) == {1: MailState.SENT, 2: MailState.QUEUED, 3: MailState.SENT}


class Unreadable:
    """A row that does not say what it should."""

    def __getattr__(self, name: str) -> object:
        raise KeyError(name)

    def __deepcopy__(self, _: object) -> "Unreadable":
        return self


async def test_another_customers_order_is_told_to_nobody(office: PostOffice) -> None:
    await order_mails(office, 1)
    order = office.database.tables.orders[OrderId(UUID(int=1))]
    office.database.tables.orders[order.id] = replace(order, customer_id=BINOD)
    (outcome,) = await office.send()
    assert (outcome.state, outcome.detail, office.out.mails) == (MailState.DROPPED, "no_subject", [])


async def test_a_mail_that_hangs_holds_up_neither_the_others_nor_those_queued_after_it(
    office: PostOffice, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kapda.domain.notifications.use_cases.send_mails.NOTED_WITHIN", 0.01)
    office.out.delays[1] = asyncio.Event()
    await order_mails(office, 1, 2)
    sending = asyncio.create_task(office.send())
    await until(lambda: states(office)[2] is MailState.SENT)
    await order_mails(office, 3)
    await until(lambda: states(office)[3] is MailState.SENT)
    assert states(office)[1] is MailState.QUEUED
    office.out.delays[1].set()
    assert [outcome.mail_id.int for outcome in await sending] == [2, 3, 1]


async def test_whoever_is_cut_off_leaves_no_mail_under_way(office: PostOffice) -> None:
    office.out.delays[1] = asyncio.Event()
    await order_mails(office, 1)
    sending = asyncio.create_task(office.send())
    await until(lambda: office.database.tables.mails[MailId(UUID(int=1))].mail.attempts == 1)
    sending.cancel()
    with pytest.raises(asyncio.CancelledError):
        await sending
    office.out.delays[1].set()
    await asyncio.sleep(0)
    assert office.out.mails == []
    assert states(office) == {1: MailState.QUEUED}
