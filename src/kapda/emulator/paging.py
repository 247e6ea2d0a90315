"""Which part of a list is asked for."""

from collections.abc import Callable, Mapping, Reversible
from dataclasses import dataclass, replace
from itertools import islice
from typing import Protocol, TypeVar

from kapda.emulator.errors import ApiError

MAXIMUM_COUNT = 100
DEFAULT_COUNT = 10


class _Dated(Protocol):
    @property
    def created_at(self) -> int: ...


Dated = TypeVar("Dated", bound=_Dated)


@dataclass(frozen=True, slots=True)
class Page:
    """A part of a list; `since` and `until` are inclusive Unix seconds."""

    count: int = DEFAULT_COUNT
    skip: int = 0
    since: int | None = None
    until: int | None = None

    def before(self, newest: int) -> "Page":
        """Returns the same part of a list that knows nothing newer."""
        return replace(self, until=newest if self.until is None else min(self.until, newest))


def parse_page(query: Mapping[str, str]) -> Page:
    """Reads `count`, `skip`, `from` and `to`."""
    count = _number(query, "count")
    if count is not None and count > MAXIMUM_COUNT:
        raise ApiError(f"The count may not be greater than {MAXIMUM_COUNT}.", field="count")
    if count == 0:
        raise ApiError("The count must be at least 1.", field="count")
    return Page(
        count=DEFAULT_COUNT if count is None else count,
        skip=_number(query, "skip") or 0,
        since=_number(query, "from"),
        until=_number(query, "to"),
    )


def cut(entities: Reversible[Dated], page: Page, wanted: Callable[[Dated], bool] | None = None) -> list[Dated]:
    """Returns one page of entities given oldest first, newest first."""
    matching = (
        entity
        for entity in reversed(entities)
        if (page.since is None or entity.created_at >= page.since)
        and (page.until is None or entity.created_at <= page.until)
        and (wanted is None or wanted(entity))
    )
    return list(islice(matching, page.skip, page.skip + page.count))


def _number(query: Mapping[str, str], name: str) -> int | None:
    text = query.get(name)
    if text is None:
        return None
    if not (text.isascii() and text.isdigit()):
        raise ApiError(f"The {name} must be an integer.", field=name)
    return int(text)
