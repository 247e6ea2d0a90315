"""Between the queue and the use cases: each job within its time, with one log line, and counted."""

import asyncio
from collections.abc import Awaitable, Callable
from time import perf_counter
from uuid import UUID

import structlog
from prometheus_client import CollectorRegistry, Counter, Histogram

from kapda.domain.shared.errors import DomainError
from kapda.domain.shared.jobs import Job
from kapda.entrypoints.telemetry import describe

# Longer than all the time limits inside a job together: a limit of last resort against one that hangs.
JOB_SECONDS = 60.0

JobHandler = Callable[[UUID], Awaitable[None]]

_log: structlog.typing.FilteringBoundLogger = structlog.get_logger("kapda.worker")


class JobMetrics:
    """What has become of the jobs."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.jobs = Counter("kapda_jobs", "Jobs, by kind and by how they ended.", ["job", "outcome"], registry=registry)
        self.seconds = Histogram("kapda_job_seconds", "Seconds a job took.", ["job"], registry=registry)


def handler_for(
    job: Job, look_at: Callable[[UUID], Awaitable[object]], metrics: JobMetrics, seconds: float = JOB_SECONDS
) -> JobHandler:
    """A handler that raises nothing but cancellation: what failed is due again by its own row, and is woken then.

    A failure's line names the job and its subject and what kind of failure it was, never its text: that may quote what
    a row or the gateway held.
    """

    async def handle(subject: UUID) -> None:
        started = perf_counter()
        with structlog.contextvars.bound_contextvars(job=job.value, subject=str(subject)):
            outcome = await _attempt(look_at, subject, seconds)
            took = perf_counter() - started
            _log.info("job", outcome=outcome, duration_ms=round(took * 1000, 2))
        metrics.jobs.labels(job.value, outcome).inc()
        metrics.seconds.labels(job.value).observe(took)

    return handle


async def _attempt(look_at: Callable[[UUID], Awaitable[object]], subject: UUID, seconds: float) -> str:
    limit = asyncio.timeout(seconds)
    try:
        async with limit:
            await look_at(subject)
    except DomainError as error:
        _log.warning("job failed", kind=error.kind.value, reason=error.reason.value)
        return "refused"
    except Exception as error:  # noqa: BLE001 - the queue goes on whatever one job came to
        if limit.expired():
            _log.error("job cut off", seconds=seconds)
            return "timed_out"
        _log.error("job failed", raised=describe(error))
        return "failed"
    return "done"
