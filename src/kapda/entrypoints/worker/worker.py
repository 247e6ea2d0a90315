"""The worker process: takes jobs, wakes what is due, prunes what is old, and says how it is."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Protocol

from prometheus_client import CollectorRegistry, Counter
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware

from kapda.domain.notifications.mail import MailOutcome
from kapda.domain.orders.use_cases.process_gateway_event import ProcessGatewayEventCommand
from kapda.domain.orders.use_cases.send_refund import SendRefundCommand
from kapda.domain.orders.use_cases.settle_checkout import SettleCheckoutCommand
from kapda.domain.orders.use_cases.sweep_recent_payments import AccountSweep
from kapda.domain.shared.ids import CheckoutId, RefundId
from kapda.domain.shared.jobs import Job
from kapda.entrypoints.http.answers import unknown_route
from kapda.entrypoints.http.operations import OPERATIONS_PATHS, Probe, Readiness, operations_routes
from kapda.entrypoints.http.request_log import RequestLog
from kapda.entrypoints.http.server import serving_http
from kapda.entrypoints.use_case import UseCase
from kapda.entrypoints.worker.account import AccountReport
from kapda.entrypoints.worker.every import every
from kapda.entrypoints.worker.handlers import JOB_SECONDS, JobHandler, JobMetrics, handler_for
from kapda.entrypoints.worker.mails import MailReport
from kapda.entrypoints.worker.silence import SilenceAlarm

# How late what lost its wake-up may be. The queue's own schedules count in minutes, so these are loops of ours; with
# several workers each sweeps, and a second wake-up for the same thing is none.
SWEEP_SECONDS = 5.0
PRUNE_SECONDS = 60.0
# How late events may be whose announcement was lost: to look in vain costs one statement on an empty index.
RELAY_SECONDS = 1.0
# The same of mails.
MAIL_SECONDS = 1.0
# Between two rounds of events, or of mails: a round costs nearly the same for one as for a hundred.
APART_SECONDS = 0.5
PAYMENTS_SECONDS = 120.0
# Expired carts read as absent at once; deleting them only gives their space back.
EXPIRE_CARTS_SECONDS = 60.0
# Razorpay's webhooks come within seconds; a minute more or less of their absence is all the same.
SILENCE_SECONDS = 60.0


# Calls the function at every announcement of such work, until the event is set.
Listen = Callable[[Job, Callable[[], None], asyncio.Event], Coroutine[Any, Any, None]]


class RunsJobs(Protocol):
    """The queue's end in this process."""

    @property
    def is_running(self) -> bool:
        """Whether every kind of job is being taken."""
        ...

    async def run(self, stop: asyncio.Event) -> None:
        """Take jobs until `stop`; return when those at work have ended or gone back."""
        ...


@dataclass(frozen=True, slots=True)
class WorkerUseCases:
    """What the jobs and schedules execute. Those that answer a number say how many rows they touched."""

    process_gateway_event: UseCase[ProcessGatewayEventCommand, None]
    settle_checkout: UseCase[SettleCheckoutCommand, None]
    send_refund: UseCase[SendRefundCommand, None]
    send_mails: Callable[[], Awaitable[Sequence[MailOutcome]]]
    webhook_silence: Callable[[], Awaitable[timedelta]]
    relay_events: Callable[[], Awaitable[int]]
    wake_due_work: Callable[[], Awaitable[int]]
    sweep_recent_payments: Callable[[], Awaitable[AccountSweep]]
    prune: Callable[[], Awaitable[int]]
    expire_carts: Callable[[], Awaitable[int]]


async def run_worker(
    use_cases: WorkerUseCases,
    make_runner: Callable[[Mapping[Job, JobHandler]], RunsJobs],
    listen: Listen,
    *,
    probes: Mapping[str, Probe],
    registry: CollectorRegistry,
    address: str,
    stop: asyncio.Event,
    sweep_seconds: float = SWEEP_SECONDS,
    payments_seconds: float = PAYMENTS_SECONDS,
    silence_limit: timedelta = timedelta(minutes=15),
) -> None:
    """Work until `stop` is set, then finish or give back what is in hand, and return.

    `make_runner` gets a handler for each kind of job that is queued; `listen` hears of those that are only announced.
    `address` (host:port) serves health, readiness and metrics; readiness asks `probes` and whether jobs are being taken.
    Raises OSError when the address cannot be had.
    """
    runner = make_runner(_handlers(use_cases, JobMetrics(registry)))
    mails, account = MailReport(registry), AccountReport(registry)
    alarm = SilenceAlarm(use_cases.webhook_silence, registry, silence_limit)
    events_waiting, mails_waiting = asyncio.Event(), asyncio.Event()
    relayed = Counter("kapda_relayed_events", "Events sent on.", registry=registry)
    woken = Counter("kapda_sweep_woken", "Rows that a sweep found due and woke.", registry=registry)
    pruned = Counter("kapda_pruned_rows", "Old rows deleted.", registry=registry)
    expired = Counter("kapda_expired_carts", "Expired carts deleted.", registry=registry)

    async def takes_jobs() -> bool:
        return runner.is_running

    async def relay() -> None:
        relayed.inc(await use_cases.relay_events())

    async def send_mails() -> None:
        for outcome in await use_cases.send_mails():
            mails.note(outcome)

    async def sweep() -> None:
        woken.inc(await use_cases.wake_due_work())

    async def sweep_payments() -> None:
        account.note(await use_cases.sweep_recent_payments())

    async def prune() -> None:
        pruned.inc(await use_cases.prune())

    async def expire_carts() -> None:
        expired.inc(await use_cases.expire_carts())

    app = _operations_app({**probes, "jobs": takes_jobs}, registry)
    async with serving_http(app, address), asyncio.TaskGroup() as tasks:
        tasks.create_task(runner.run(stop), name="jobs")
        for job, waiting, seconds, work in (
            (Job.RELAY_EVENTS, events_waiting, RELAY_SECONDS, relay),
            (Job.SEND_MAIL, mails_waiting, MAIL_SECONDS, send_mails),
        ):
            tasks.create_task(listen(job, waiting.set, stop), name=f"hear of {job.value}")
            rounds = every(seconds, job.value, work, stop, limit=JOB_SECONDS, sooner=waiting, apart=APART_SECONDS)
            tasks.create_task(rounds, name=job.value)
        tasks.create_task(every(sweep_seconds, "sweep", sweep, stop), name="sweep")
        tasks.create_task(
            every(payments_seconds, "payments", sweep_payments, stop, limit=payments_seconds), name="payments"
        )
        tasks.create_task(every(SILENCE_SECONDS, "webhook silence", alarm.look, stop), name="webhook silence")
        tasks.create_task(every(PRUNE_SECONDS, "prune", prune, stop), name="prune")
        tasks.create_task(every(EXPIRE_CARTS_SECONDS, "expire carts", expire_carts, stop), name="expire carts")


def _handlers(use_cases: WorkerUseCases, metrics: JobMetrics) -> dict[Job, JobHandler]:
    handlers = {
        Job.PROCESS_GATEWAY_EVENT: handler_for(
            Job.PROCESS_GATEWAY_EVENT,
            lambda event: use_cases.process_gateway_event.execute(ProcessGatewayEventCommand(event)),
            metrics,
        ),
        Job.SETTLE_CHECKOUT: handler_for(
            Job.SETTLE_CHECKOUT,
            lambda checkout: use_cases.settle_checkout.execute(SettleCheckoutCommand(CheckoutId(checkout))),
            metrics,
        ),
        Job.SEND_REFUND: handler_for(
            Job.SEND_REFUND,
            lambda refund: use_cases.send_refund.execute(SendRefundCommand(RefundId(refund))),
            metrics,
        ),
    }
    if forgotten := set(Job) - set(handlers) - {Job.RELAY_EVENTS, Job.SEND_MAIL}:
        raise RuntimeError(f"nobody handles {forgotten}")
    return handlers


def _operations_app(probes: Mapping[str, Probe], registry: CollectorRegistry) -> Starlette:
    return Starlette(
        routes=operations_routes(Readiness(probes), registry),
        middleware=[Middleware(RequestLog, quiet=OPERATIONS_PATHS)],
        exception_handlers={HTTPException: unknown_route},
    )
