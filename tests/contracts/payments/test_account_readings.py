"""How far the account's payments have been read, as its port promises."""

from datetime import UTC, datetime, timedelta

from tests.contracts.backing import Backing
from tests.fakes.samples import NOON


async def test_before_the_first_reading_there_is_none(backing: Backing) -> None:
    async with backing.unit_of_work() as uow:
        assert await uow.account_readings.through() is None


async def test_the_latest_time_that_was_noted_counts(backing: Backing) -> None:
    for at in (NOON, NOON + timedelta(minutes=2), NOON + timedelta(minutes=1)):
        async with backing.unit_of_work() as uow:
            await uow.account_readings.note(at)
            await uow.commit()
    async with backing.unit_of_work() as uow:
        assert await uow.account_readings.through() == NOON + timedelta(minutes=2)


async def test_what_is_not_committed_was_not_read(backing: Backing) -> None:
    async with backing.unit_of_work() as uow:
        await uow.account_readings.note(NOON)
    async with backing.unit_of_work() as uow:
        assert await uow.account_readings.through() is None


async def test_what_is_still_to_come_has_not_been_read(backing: Backing) -> None:
    async with backing.unit_of_work() as uow:
        counts = await uow.account_readings.note(datetime.now(UTC) + timedelta(days=2))
        await uow.commit()
    assert counts <= datetime.now(UTC)
    async with backing.unit_of_work() as uow:
        assert await uow.account_readings.through() == counts
        assert await uow.account_readings.note(NOON) == counts
