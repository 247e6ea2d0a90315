"""Looks through the account's recent payments: the net below all three doors.

A webhook may be lost, switched off for a day, or never made; the poller of checkouts knows only checkouts. This sees
every payment on the account. The gateway's list may lag by minutes, so each look goes back far enough to see it again; and
once a payment is older than that, it is read a last time, however many there are and however long nobody was looking.
"""

from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from kapda.domain.orders.ports import OrderUnitOfWork
from kapda.domain.orders.use_cases.finish_payment import FinishPayment, FinishPaymentCommand
from kapda.domain.payments.gateway import GatewayPayment, GatewayPaymentState
from kapda.domain.payments.ports import PaymentGateway
from kapda.domain.shared.clock import Clock

# How far back each look goes. The sweep runs every two minutes, so each payment is seen many times.
WINDOW = timedelta(minutes=30)
# So many of the newest at one look: two hundred calls, which a gateway answers between two looks. Who comes faster than
# that is seen again when the time is read through for good.
MOST_RECENT = 20_000
# The time that is read for good before what has been read is noted. Shorter would cost calls, longer would lose more where
# a look is cut off.
STEP = timedelta(minutes=2)

Pages = AsyncGenerator[tuple[GatewayPayment, ...], None]


@dataclass(frozen=True, slots=True)
class AccountSweep:
    """What a look came to: how many payments nobody had told of, and until when all have been read for good."""

    found: int
    read_through: datetime


@dataclass(slots=True)
class _Tally:
    found: int = 0
    failures: list[Exception] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class SweepRecentPayments:
    """Finishes every payment that holds money and is not known yet. Several workers may sweep.

    Raises GatewayUnknownError, and the first failure of a payment once it has been through all the others; what could not be
    finished is seen again by the next look, and time in which it was made is not noted as read.
    """

    unit_of_work: Callable[[], OrderUnitOfWork]
    gateway: PaymentGateway
    finish_payment: FinishPayment
    clock: Clock

    async def execute(self) -> AccountSweep:
        """Look once. What is new comes first: whoever paid a minute ago waits for it."""
        now, tally = self.clock.now(), _Tally()
        settled = now - WINDOW
        await self._look_into(self.gateway.payments_since(settled, now), tally, MOST_RECENT)
        through = await self._read_for_good(settled, tally)
        if tally.failures:
            raise tally.failures[0]
        return AccountSweep(tally.found, through)

    async def _read_for_good(self, settled: datetime, tally: _Tally) -> datetime:
        async with self.unit_of_work() as uow:
            through = await uow.account_readings.through()
            if through is None:
                # Before kapda first looked there was nothing of ours.
                through = await uow.account_readings.note(settled)
                await uow.commit()
        while through < settled:
            until = min(through + STEP, settled)
            failures = len(tally.failures)
            await self._look_into(self.gateway.payments_since(through, until), tally)
            if len(tally.failures) > failures:
                break
            async with self.unit_of_work() as uow:
                through = await uow.account_readings.note(until)
                await uow.commit()
            if through < until:
                # The rest is still to come: it is this worker's clock that runs ahead.
                break
        return through

    async def _look_into(self, pages: Pages, tally: _Tally, most: int | None = None) -> None:
        seen = 0
        async with aclosing(pages):
            async for page in pages:
                await self._finish([payment for payment in page if _holds_money(payment)], tally)
                seen += len(page)
                if most is not None and seen >= most:
                    break

    async def _finish(self, payments: Sequence[GatewayPayment], tally: _Tally) -> None:
        if not payments:
            return
        async with self.unit_of_work() as uow:
            known = await uow.payments.known([payment.id for payment in payments])
        for payment in payments:
            if payment.id in known:
                continue
            tally.found += 1
            try:
                await self.finish_payment.execute(FinishPaymentCommand(payment.id, "sweep"))
            except Exception as error:  # noqa: BLE001  (one payment that cannot be finished must not hide the others)
                tally.failures.append(error)


def _holds_money(payment: GatewayPayment) -> bool:
    return payment.captured or payment.state is GatewayPaymentState.AUTHORIZED
