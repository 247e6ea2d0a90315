"""The audit log as its port promises, in memory and in PostgreSQL."""

from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest

from kapda.domain.shared.audit import (
    OPERATOR,
    Actor,
    ActorKind,
    AuditAction,
    AuditEntry,
    AuditFilter,
    Occasion,
)
from kapda.domain.shared.pages import Page, PageRequest
from tests.contracts.identity.conftest import IdentityStore
from tests.fakes.identity import SettableClock

NOW = SettableClock().now() + timedelta(microseconds=123_456)
ASHA, BINOD, ADMIN = UUID(int=1), UUID(int=2), UUID(int=3)
ENTRY = AuditEntry(
    UUID(int=100),
    NOW,
    Occasion(Actor(ActorKind.USER, ADMIN), "call-0001", "asked for it by phone"),
    AuditAction.ROLE_SET,
    "user",
    ASHA,
    {"before": "customer", "after": "designer", "sessions": 2, "signed": True, "key": None},
)


def later(number: int, **changes: object) -> AuditEntry:
    """The same a bit later, or changed."""
    values = {"id": UUID(int=100 + number), "at": NOW + timedelta(seconds=number), **changes}
    return replace(ENTRY, **values)  # type: ignore[arg-type]


async def written(store: IdentityStore, *entries: AuditEntry) -> None:
    async with store.unit_of_work() as uow:
        for entry in entries:
            await uow.audit.add(entry)
        await uow.commit()


async def read(
    store: IdentityStore, which: AuditFilter | None = None, page: PageRequest | None = None
) -> Page[AuditEntry]:
    async with store.unit_of_work() as uow:
        return await uow.audit.list(which or AuditFilter(), page or PageRequest())


@pytest.mark.parametrize("actor", [Actor(ActorKind.USER, ADMIN), Actor(ActorKind.SERVICE, ADMIN), OPERATOR])
async def test_an_entry_is_read_as_it_was_written(store: IdentityStore, actor: Actor) -> None:
    entry = replace(ENTRY, occasion=replace(ENTRY.occasion, actor=actor))
    await written(store, entry)
    assert (await read(store)).items == (entry,)


async def test_an_entry_of_a_transaction_that_is_rolled_back_is_none(store: IdentityStore) -> None:
    async with store.unit_of_work() as uow:
        await uow.audit.add(ENTRY)
    assert (await read(store)).items == ()


async def test_entries_of_one_subject_or_one_actor_are_picked_out(store: IdentityStore) -> None:
    of_binod = later(1, subject_id=BINOD)
    by_operator = later(2, occasion=replace(ENTRY.occasion, actor=OPERATOR))
    await written(store, ENTRY, of_binod, by_operator)
    assert (await read(store, AuditFilter(subject_id=BINOD))).items == (of_binod,)
    assert (await read(store, AuditFilter(actor_id=ADMIN))).items == (of_binod, ENTRY)
    assert (await read(store, AuditFilter(subject_id=BINOD, actor_id=ASHA))).items == ()


async def test_pages_go_from_the_newest_to_the_oldest_without_a_gap(store: IdentityStore) -> None:
    same_instant = later(5, at=NOW)
    entries = [ENTRY, same_instant, later(1), later(2), later(3)]
    await written(store, *entries)
    seen: list[AuditEntry] = []
    page = await read(store, page=PageRequest(2))
    while True:
        seen.extend(page.items)
        if page.next_cursor is None:
            break
        page = await read(store, page=PageRequest(2, page.next_cursor))
    assert seen == [later(3), later(2), later(1), same_instant, ENTRY]
