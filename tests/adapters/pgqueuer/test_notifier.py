"""Workers are told after the commit, cheaply, and a failure to tell them is nobody's trouble."""

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import pytest
from pgqueuer.domain.models import AnyEvent, TableChangedEvent
from sqlalchemy.ext.asyncio import AsyncEngine

from kapda.adapters.embedded.processes import free_port
from kapda.adapters.pgqueuer.names import channel_of
from kapda.adapters.pgqueuer.notifier import JobNotifier
from kapda.adapters.postgres.engine import make_engine
from kapda.domain.shared.jobs import Job


@pytest.fixture
async def heard(database_url: str) -> AsyncIterator[asyncio.Queue[str]]:
    """Payloads as they arrive on the queue's channel."""
    heard: asyncio.Queue[str] = asyncio.Queue()

    def hear(_connection: Any, _pid: Any, _channel: Any, payload: str) -> None:
        heard.put_nowait(payload)

    connection = await asyncpg.connect(database_url)
    await connection.add_listener(channel_of(Job.RELAY_EVENTS), hear)
    yield heard
    await connection.close()


async def test_a_notification_is_one_that_pgqueuer_understands(engine: AsyncEngine, heard: asyncio.Queue[str]) -> None:
    notifier = JobNotifier(engine)
    notifier.notify([Job.RELAY_EVENTS])
    event = AnyEvent.model_validate_json(await asyncio.wait_for(heard.get(), 2)).root
    assert isinstance(event, TableChangedEvent)
    await notifier.aclose()


async def test_a_crowd_of_commits_shares_few_notifications(engine: AsyncEngine, heard: asyncio.Queue[str]) -> None:
    notifier = JobNotifier(engine)
    for _ in range(50):
        for _ in range(20):
            notifier.notify([Job.RELAY_EVENTS])
        await asyncio.sleep(0)
    await notifier.aclose()
    await asyncio.sleep(0.1)
    assert 1 <= heard.qsize() <= 3


async def test_workers_of_another_kind_are_not_disturbed(engine: AsyncEngine, heard: asyncio.Queue[str]) -> None:
    notifier = JobNotifier(engine)
    notifier.notify([Job.SETTLE_CHECKOUT])
    notifier.notify([Job.RELAY_EVENTS, Job.SEND_REFUND])
    await notifier.aclose()
    await asyncio.sleep(0.1)
    assert heard.qsize() == 1


async def test_a_commit_during_a_notification_is_announced_after_it(
    engine: AsyncEngine, heard: asyncio.Queue[str]
) -> None:
    notifier = JobNotifier(engine)
    notifier.notify([Job.RELAY_EVENTS])
    await asyncio.wait_for(heard.get(), 2)
    notifier.notify([Job.RELAY_EVENTS])
    await asyncio.wait_for(heard.get(), 2)
    await notifier.aclose()


async def test_a_database_that_is_down_is_nobodys_trouble() -> None:
    nowhere = make_engine(f"postgresql://postgres@127.0.0.1:{free_port()}/none")
    notifier = JobNotifier(nowhere)
    started = time.monotonic()
    notifier.notify([Job.RELAY_EVENTS])
    assert time.monotonic() - started < 0.1
    await notifier.aclose()
    await nowhere.dispose()


async def test_closing_a_notifier_that_never_notified_is_fine(engine: AsyncEngine) -> None:
    await JobNotifier(engine).aclose()
