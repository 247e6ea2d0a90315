"""A job's failure is logged and counted, and ends there."""

import asyncio
from uuid import UUID

import pytest
from prometheus_client import CollectorRegistry
from structlog.contextvars import merge_contextvars
from structlog.testing import capture_logs

from kapda.domain.payments.gateway import GatewayUnknownError
from kapda.domain.shared.jobs import Job
from kapda.entrypoints.worker.every import every
from kapda.entrypoints.worker.handlers import JobMetrics, handler_for

SUBJECT = UUID(int=0x5B)


class Work:
    """Does what it is told with a subject."""

    def __init__(self, error: Exception | None = None, seconds: float = 0) -> None:
        self.subjects: list[UUID] = []
        self._error = error
        self._seconds = seconds

    async def __call__(self, subject: UUID) -> None:
        self.subjects.append(subject)
        await asyncio.sleep(self._seconds)
        if self._error is not None:
            raise self._error


@pytest.mark.parametrize(
    ("work", "outcome"),
    [
        (Work(), "done"),
        (Work(GatewayUnknownError("no answer")), "refused"),
        (Work(ValueError("the row held 4111 1111 1111 1111")), "failed"),
        (Work(TimeoutError("a timeout of its own")), "failed"),
        (Work(seconds=60), "timed_out"),
    ],
)
async def test_however_a_job_ends_it_is_counted_and_told_in_a_line_without_its_text(work: Work, outcome: str) -> None:
    registry = CollectorRegistry()
    handle = handler_for(Job.SETTLE_CHECKOUT, work, JobMetrics(registry), seconds=0.05)
    with capture_logs(processors=[merge_contextvars]) as lines:
        await handle(SUBJECT)
    assert work.subjects == [SUBJECT]
    *failures, line = lines
    assert line["outcome"] == outcome
    assert len(failures) == (outcome != "done")
    for told in lines:
        assert told["job"] == "settle_checkout"
        assert told["subject"] == str(SUBJECT)
    assert "4111" not in repr(lines)
    assert registry.get_sample_value("kapda_jobs_total", {"job": "settle_checkout", "outcome": outcome}) == 1


async def test_a_job_that_is_cancelled_says_so_to_the_queue() -> None:
    """The queue must know that the job was cut off, to keep it."""
    handle = handler_for(Job.SETTLE_CHECKOUT, Work(seconds=60), JobMetrics(CollectorRegistry()))
    task = asyncio.ensure_future(handle(SUBJECT))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_a_schedule_goes_on_after_failures_and_ends_at_the_stop() -> None:
    runs = 0
    stop = asyncio.Event()

    async def work() -> None:
        nonlocal runs
        runs += 1
        if runs == 1:
            raise GatewayUnknownError("no answer")
        if runs == 2:
            raise ValueError
        if runs == 3:
            await asyncio.sleep(60)
        stop.set()

    with capture_logs() as lines:
        await asyncio.wait_for(every(0.01, "sweep", work, stop, limit=0.05), 5)
    assert runs == 4
    assert [line["event"] for line in lines] == ["schedule failed"] * 3
