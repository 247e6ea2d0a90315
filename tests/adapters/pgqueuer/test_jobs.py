"""Enqueueing belongs to the transaction of what a job follows from."""

import asyncio
from uuid import uuid4

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from kapda.adapters.pgqueuer.jobs import PgqueuerJobs
from kapda.adapters.postgres.connection import Connection
from kapda.adapters.postgres.unit_of_work import PostgresUnitOfWork
from kapda.domain.shared.jobs import Job
from tests.adapters.pgqueuer.conftest import Queue

SETTLE = ("settle_checkout", "queued")


async def test_a_commit_leaves_the_job(engine: AsyncEngine, queue: Queue) -> None:
    async with Connection(engine) as connection:
        await PgqueuerJobs(connection).wake(Job.SETTLE_CHECKOUT, uuid4())
        assert await queue.rows() == []
        await connection.commit()
    assert await queue.rows() == [SETTLE]


@pytest.mark.parametrize("before", ["", "SELECT 1"], ids=["as-first-statement", "after-another"])
async def test_a_rollback_leaves_nothing(engine: AsyncEngine, queue: Queue, before: str) -> None:
    async with Connection(engine) as connection:
        if before:
            await connection.execute(text(before))
        await PgqueuerJobs(connection).wake(Job.SETTLE_CHECKOUT, uuid4())
    assert await queue.rows() == []


async def test_a_unit_of_work_left_without_a_commit_leaves_nothing_and_tells_nobody(
    engine: AsyncEngine, queue: Queue
) -> None:
    told: list[Job] = []
    async with PostgresUnitOfWork(engine, told.extend) as uow:
        await uow.jobs.wake(Job.SETTLE_CHECKOUT, uuid4())
    assert await queue.rows() == []
    assert told == []


async def test_the_workers_are_told_after_the_commit_and_only_of_jobs(engine: AsyncEngine, queue: Queue) -> None:
    told: list[Job] = []
    async with PostgresUnitOfWork(engine, told.extend) as uow:
        await uow.jobs.wake(Job.SETTLE_CHECKOUT, uuid4())
        assert told == []
        await uow.commit()
    assert told == [Job.SETTLE_CHECKOUT]
    async with PostgresUnitOfWork(engine, told.extend) as uow:
        await uow.commit()
    assert told == [Job.SETTLE_CHECKOUT]


async def test_a_subject_that_is_queued_is_not_queued_again(queue: Queue) -> None:
    subject, another = uuid4(), uuid4()
    await queue.wake(Job.SETTLE_CHECKOUT, subject, subject)
    await queue.wake(Job.SETTLE_CHECKOUT, another)
    await queue.wake(Job.RELAY_EVENTS, subject)
    assert await queue.rows() == [SETTLE, SETTLE, ("relay_events", "queued")]


async def test_a_subject_at_work_is_not_queued_and_the_transaction_goes_on(engine: AsyncEngine, queue: Queue) -> None:
    subject = uuid4()
    await queue.wake(Job.SETTLE_CHECKOUT, subject)
    await queue.run("UPDATE pgqueuer SET status = 'picked'")
    async with Connection(engine) as connection:
        await PgqueuerJobs(connection).wake(Job.SETTLE_CHECKOUT, subject)
        assert await connection.scalar(text("SELECT 1")) == 1
        await connection.commit()
    assert await queue.rows() == [("settle_checkout", "picked")]


async def test_twins_that_wake_one_subject_at_once_leave_one_job(queue: Queue) -> None:
    subject = uuid4()
    await asyncio.gather(*(queue.wake(Job.SETTLE_CHECKOUT, subject) for _ in range(20)))
    assert await queue.rows() == [SETTLE]
