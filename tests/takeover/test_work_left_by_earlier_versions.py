"""What one version queued another finds: jobs in the queue, and events that have not left.

`events.json` holds an event of every type as the first version that had it wrote it. They are never written anew: a field
that a later version gives an event is one that its readers can do without.
"""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text

import kapda.domain
from kapda.adapters.system.clock import SystemClock
from kapda.domain.notifications.mailing_sink import MailingSink
from kapda.domain.ops.use_cases.relay_events import RelayEvents
from kapda.domain.shared.events import DomainEvent, SequencedEvent
from kapda.domain.shared.mails import MailKind
from tests.entrypoints.worker.conftest import Bench, until_ready
from tests.fakes.database import InMemoryDatabase
from tests.fakes.identity import CountingIds, SettableClock
from tests.fakes.samples import NOON
from tests.waiting import until

KEPT: list[dict[str, Any]] = json.loads((Path(__file__).parent / "events.json").read_text(encoding="utf-8"))
_TYPE = re.compile(r'"((?:order|refund|payment_case|stock)\.[a-z_]+)"')
# What the gateway calls its own events; ours never have these names.
_GATEWAYS = frozenset({"order.paid", "refund.created", "refund.speed_changed"})
SUBJECT = "0197a000-0000-7000-8000-0000000000c1"
_ENQUEUE = text("""
    INSERT INTO pgqueuer (priority, entrypoint, payload, dedupe_key, status)
    VALUES (0, :entrypoint, decode(:payload, 'hex'), :dedupe_key, 'queued')
""")


@dataclass
class Consumer:
    """An EventSink that keeps."""

    events: list[DomainEvent] = field(default_factory=list)

    async def publish(self, events: Sequence[SequencedEvent]) -> None:
        self.events += [one.event for one in events]


def _event(kept: dict[str, Any], **more: Any) -> DomainEvent:
    payload = {**kept["payload"], **more}
    return DomainEvent(kept["aggregate_type"], UUID(kept["aggregate_id"]), kept["type"], NOON, payload)


async def _relayed(*left: DomainEvent) -> tuple[list[DomainEvent], list[MailKind]]:
    """What a consumer is told of events that another version left, and which mails they call for."""
    database, consumer, clock = InMemoryDatabase(), Consumer(), SettableClock(NOON)
    async with database.unit_of_work() as uow:
        for event in left:
            await uow.outbox.add(event)
        await uow.commit()
    sink = MailingSink(consumer, database.unit_of_work, CountingIds(1), clock)
    assert await RelayEvents(database.unit_of_work, sink, clock).execute() == len(left)
    return consumer.events, [row.mail.kind for row in database.tables.mails.values()]


def test_every_type_of_event_has_one_of_an_earlier_version() -> None:
    sources = Path(kapda.domain.__path__[0]).rglob("*.py")
    types = {found for source in sources for found in _TYPE.findall(source.read_text(encoding="utf-8"))}
    assert {kept["type"] for kept in KEPT} == types - _GATEWAYS


async def test_events_that_an_earlier_version_left_are_sent_on_as_they_were_and_call_for_their_mails() -> None:
    left = [_event(kept) for kept in KEPT]
    told, mails = await _relayed(*left)
    assert sorted(told, key=str) == sorted(left, key=str)
    assert mails == [MailKind.ORDER_PLACED, MailKind.ORDER_CANCELLED]


async def test_events_that_a_later_version_left_are_sent_on_with_all_that_is_in_them() -> None:
    left = [_event(kept, a_field_of_tomorrow=True) for kept in KEPT]
    unheard_of = DomainEvent("parcel", UUID(int=1), "parcel.lost", NOON, {"number": 1})
    told, mails = await _relayed(*left, unheard_of)
    assert sorted(told, key=str) == sorted([*left, unheard_of], key=str)
    assert mails == [MailKind.ORDER_PLACED, MailKind.ORDER_CANCELLED]


@pytest.mark.parametrize("kind", ["process_gateway_event", "settle_checkout", "send_refund"])
async def test_a_job_that_an_earlier_version_queued_is_done(bench: Bench, kind: str) -> None:
    done: Any = {"process_gateway_event": bench.processed, "settle_checkout": bench.settled, "send_refund": bench.sent}[
        kind
    ]
    async with bench.engine.begin() as connection:
        payload = SUBJECT.replace("-", "")
        await connection.execute(_ENQUEUE, {"entrypoint": kind, "payload": payload, "dedupe_key": f"{kind}:{SUBJECT}"})
    async with bench.working() as client:
        await until_ready(client)
        await until(bench.has_no_jobs)
    assert SUBJECT in str(done.commands)


async def test_a_kind_of_mail_that_only_a_later_version_knows_is_left_to_it_and_holds_up_no_other(bench: Bench) -> None:
    async with bench.engine.begin() as connection:
        await connection.execute(text("ALTER TABLE mails DROP CONSTRAINT mails_kind_known"))
        await connection.execute(
            text("""INSERT INTO mails (id, kind, address, queued_at, next_attempt_at)
                    SELECT uuidv7(), kind, kind || '@example.in', now(), now()
                    FROM (VALUES ('parcel_lost'), ('unlock')) AS left_behind (kind)""")
        )
    now = SystemClock().now()
    async with bench.unit_of_work() as uow:
        taken = await uow.mails.take(now, now + timedelta(minutes=1), 100)
    assert [mail.kind for mail in taken] == [MailKind.UNLOCK]


async def test_a_kind_of_job_that_only_a_later_version_knows_is_left_to_it(bench: Bench) -> None:
    jobs = [("deliver_parcel", "00"), ("settle_checkout", SUBJECT.replace("-", ""))]
    async with bench.engine.begin() as connection:
        for kind, payload in jobs:
            await connection.execute(_ENQUEUE, {"entrypoint": kind, "payload": payload, "dedupe_key": kind})
    async with bench.working() as client:
        await until_ready(client)
        await until(lambda: bench.settled.commands != [])
    async with bench.engine.connect() as connection:
        left = (await connection.execute(text("SELECT entrypoint, CAST(status AS text) FROM pgqueuer"))).all()
    assert left == [("deliver_parcel", "queued")]
