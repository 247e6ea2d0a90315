"""Keyset pages: a list goes on after the last key seen, however many rows stand before it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

DEFAULT_PAGE_SIZE = 20
# A page is built in memory and sent as one message; a hundred rows stay far below the message limit.
MAX_PAGE_SIZE = 100

Item = TypeVar("Item")
# The sort key of the last row of a page, as text, in the order of the sort.
Cursor = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PageRequest:
    """`size` rows after `cursor`, or from the start. A size of 0 means the default; a larger one than allowed is cut."""

    size: int = DEFAULT_PAGE_SIZE
    cursor: Cursor | None = None

    def __post_init__(self) -> None:
        if self.size < 0:
            raise ValueError("a page has no negative size")
        object.__setattr__(self, "size", min(self.size or DEFAULT_PAGE_SIZE, MAX_PAGE_SIZE))


@dataclass(frozen=True, slots=True)
class Page(Generic[Item]):
    """Rows, and the cursor of the next page where there is one."""

    items: tuple[Item, ...]
    next_cursor: Cursor | None = None

    @classmethod
    def cut(cls, rows: Sequence[Item], request: PageRequest, key: Callable[[Item], Cursor]) -> "Page[Item]":
        """A page from one row more than asked: the surplus row shows that there is a next page, without a count."""
        items = tuple(rows[: request.size])
        return cls(items, key(items[-1]) if len(rows) > request.size else None)
