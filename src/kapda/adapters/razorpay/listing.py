"""Reads the gateway's lists page by page: whole, however long they are."""

from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from typing import Final, Protocol, TypeVar

from kapda.domain.payments.gateway import GatewayUnknownError

# The most that Razorpay gives at once.
PAGE: Final = 100
# So many pages are skipped in one stretch of a list. The next stretch begins where this one ended: what a server skips it
# has to read all the same.
STRETCH: Final = 20


class _Listed(Protocol):
    @property
    def id(self) -> str: ...

    @property
    def created_at(self) -> int: ...


T = TypeVar("T")
Listed = TypeVar("Listed", bound=_Listed)


async def all_pages(page_at: Callable[[int], Awaitable[Sequence[T]]]) -> list[T]:
    """Everything of a short list, given its page after so many that are skipped.

    Raises GatewayUnknownError where it is longer than can be: half of it must not pass for all.
    """
    found: list[T] = []
    for page in range(STRETCH):
        items = await page_at(page * PAGE)
        found += items
        if len(items) < PAGE:
            return found
    raise GatewayUnknownError("a list is longer than can be read")


async def back_in_time(
    page_at: Callable[[int, int], Awaitable[Sequence[Listed]]], latest: int
) -> AsyncGenerator[Sequence[Listed], None]:
    """A list that is newest first, each entry once; `page_at` takes the latest second asked for and how many to skip.

    Raises GatewayUnknownError where the list is in another order, or more of one second than a stretch takes.
    """
    told: set[str] = set()
    while True:
        stretch: list[Listed] = []
        for page in range(STRETCH):
            items = await page_at(latest, page * PAGE)
            # New entries push older ones along, so that some come twice.
            yield [entry for entry in items if entry.id not in told]
            stretch += items
            told.update(entry.id for entry in items)
            if len(items) < PAGE:
                return
        oldest = min(entry.created_at for entry in stretch)
        # Of the second in which the stretch ended there may be more, and whether a list's end belongs to it is undocumented.
        again = oldest + 1
        if again >= latest or stretch[0].created_at < stretch[-1].created_at:
            raise GatewayUnknownError("a list cannot be read back in time")
        told = {entry.id for entry in stretch if entry.created_at <= again}
        latest = again
