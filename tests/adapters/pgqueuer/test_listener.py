"""What is announced is heard, also after the connection was lost."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from kapda.adapters.pgqueuer import listener as listener_module
from kapda.adapters.pgqueuer.listener import JobListener
from kapda.adapters.pgqueuer.notifier import JobNotifier
from kapda.domain.shared.jobs import Job
from tests.adapters.pgqueuer.conftest import Queue
from tests.waiting import until

_LISTENERS = text("""
    SELECT count(pg_terminate_backend(pid, 2000)) FROM pg_stat_activity
    WHERE application_name = 'kapda hears of relay_events'
""")


class Ear:
    """Counts what it hears."""

    def __init__(self) -> None:
        self.heard = 0

    def hear(self) -> None:
        self.heard += 1


@pytest.fixture
async def ear(database_url: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Ear]:
    """It listens, and has heard that it does."""
    monkeypatch.setattr(listener_module, "CHECK_SECONDS", 0.05)
    monkeypatch.setattr(listener_module, "RESTART_SECONDS", 0.01)
    ear, stop = Ear(), asyncio.Event()
    listening = asyncio.create_task(JobListener(database_url).listen(Job.RELAY_EVENTS, ear.hear, stop))
    await until(lambda: ear.heard == 1)
    yield ear
    stop.set()
    await asyncio.wait_for(listening, 5)


async def test_announcements_of_its_kind_are_heard_and_no_others(engine: AsyncEngine, ear: Ear) -> None:
    notifier = JobNotifier(engine)
    notifier.notify([Job.SEND_REFUND])
    await notifier.aclose()
    notifier.notify([Job.RELAY_EVENTS])
    await notifier.aclose()
    await until(lambda: ear.heard == 2)


async def test_a_lost_connection_is_made_anew_and_what_was_missed_is_looked_for(
    engine: AsyncEngine, queue: Queue, ear: Ear
) -> None:
    async with engine.begin() as connection:
        assert await connection.scalar(_LISTENERS) == 1
    await until(lambda: ear.heard == 2)
    notifier = JobNotifier(engine)
    notifier.notify([Job.RELAY_EVENTS])
    await notifier.aclose()
    await until(lambda: ear.heard == 3)
