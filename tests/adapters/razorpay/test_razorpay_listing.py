"""A list is read whole, however long it is; what cannot be read so is said, and never passes for all there is."""

from collections.abc import Sequence
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kapda.adapters.razorpay.listing import PAGE, STRETCH, all_pages, back_in_time
from kapda.domain.payments.gateway import GatewayUnknownError

NOW = 1_750_000_000


@dataclass(frozen=True)
class Entry:
    id: str
    created_at: int


@dataclass
class Account:
    """A list at the gateway; `at_the_end` is whether the last second asked for belongs to what comes."""

    entries: list[Entry]
    at_the_end: bool = True
    deepest: int = 0

    async def page(self, to: int, skip: int) -> Sequence[Entry]:
        self.deepest = max(self.deepest, skip)
        latest = to if self.at_the_end else to - 1
        return [entry for entry in self.entries if entry.created_at <= latest][skip : skip + PAGE]


def made(ages: Sequence[int]) -> list[Entry]:
    return [Entry(f"pay_{number}", NOW - age) for number, age in enumerate(sorted(ages))]


async def ids(account: Account) -> list[str]:
    return [entry.id async for page in back_in_time(account.page, NOW + 1) for entry in page]


@pytest.mark.parametrize("at_the_end", [True, False])
@given(a_second=st.lists(st.integers(0, 900), min_size=1, max_size=40))
async def test_every_entry_is_told_once_in_its_order(at_the_end: bool, a_second: list[int]) -> None:
    entries = made([second for second, count in enumerate(a_second) for _ in range(count)])
    account = Account(entries, at_the_end)
    assert await ids(account) == [entry.id for entry in entries]
    assert account.deepest < STRETCH * PAGE


async def test_what_comes_in_meanwhile_hides_nothing() -> None:
    account = Account(made(range(3_000)))
    found: list[str] = []
    async for page in back_in_time(account.page, NOW + 1):
        found += [entry.id for entry in page]
        account.entries.insert(0, Entry(f"pay_new{len(found)}", NOW))
    assert [name for name in found if "new" not in name] == [f"pay_{number}" for number in range(3_000)]


async def test_more_of_one_second_than_can_be_skipped_is_said() -> None:
    account = Account(made([0] * (STRETCH * PAGE)))
    with pytest.raises(GatewayUnknownError):
        await ids(account)


async def test_a_list_in_another_order_is_said_where_it_would_hide_something() -> None:
    account = Account(made(range(STRETCH * PAGE + 1))[::-1])
    with pytest.raises(GatewayUnknownError):
        await ids(account)


async def test_a_short_list_is_read_whole_and_a_longer_one_is_no_short_one() -> None:
    longest = STRETCH * PAGE - 1

    async def first(count: int, skip: int) -> list[int]:
        return list(range(count))[skip : skip + PAGE]

    assert await all_pages(lambda skip: first(longest, skip)) == list(range(longest))
    with pytest.raises(GatewayUnknownError):
        await all_pages(lambda skip: first(longest + 1, skip))
