"""Writes that are sent together.

A transaction that places an order writes to ten tables, and the round trips took longer than the writing. What a Write
says is said as parts of a WITH, so that several of them make one statement; the last one may have an answer.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any, Final

from sqlalchemy import text
from sqlalchemy.dialects.postgresql.asyncpg import dialect

# As many sequences of writes as there are ways through the code, and more.
_COMBINATIONS: Final = 512
_DIALECT: Final[Any] = dialect()  # type: ignore[no-untyped-call]
_WRITTEN: Final = re.compile(r"\b(?:INSERT INTO|UPDATE(?! SET)|DELETE FROM) (\w+)")
_MENTIONED: Final = re.compile(r"\b(?:INSERT INTO|UPDATE(?! SET)|DELETE FROM|FROM|JOIN|USING) (\w+)")
_POSITION: Final = re.compile(r"\$(\d+)")


class Write:
    """Parts of a WITH that change tables, `name AS (INSERT ...), ...`; no two writes have parts of the same name.

    `answer` is a SELECT from the parts, for a write that is asked and not only told.

    The parts of one statement do not see what its other parts do, so a write is never sent together with one that
    changes a table which it mentions.
    """

    __slots__ = ("answer", "mentioned", "names", "parts", "written")

    def __init__(self, parts: str, *, answer: str = "SELECT") -> None:
        compiled: Any = text(parts).compile(dialect=_DIALECT)
        self.parts: str = compiled.string
        self.answer = answer
        self.names: Sequence[str] = compiled.positiontup
        self.written = frozenset(_WRITTEN.findall(parts))
        self.mentioned = frozenset(_MENTIONED.findall(parts))


class Writes:
    """Writes on their way, in order."""

    def __init__(self) -> None:
        self._writes: list[Write] = []
        self._values: list[Mapping[str, Any]] = []

    def __bool__(self) -> bool:
        return bool(self._writes)

    def collide_with(self, write: Write) -> bool:
        """Whether the write has to come after these, in a statement of its own."""
        return any(
            not (write.mentioned.isdisjoint(other.written) and write.written.isdisjoint(other.mentioned))
            for other in self._writes
        )

    def add(self, write: Write, values: Mapping[str, Any]) -> None:
        """One more, to be sent with those that are there."""
        self._writes.append(write)
        self._values.append(values)

    def take(self) -> tuple[str, list[Any]]:
        """One statement of all of them, as the driver wants it and answered by the last one, with its arguments."""
        sql = _combined(tuple(self._writes))
        arguments = [
            values[name] for write, values in zip(self._writes, self._values, strict=True) for name in write.names
        ]
        self._writes.clear()
        self._values.clear()
        return sql, arguments


@lru_cache(_COMBINATIONS)
def _combined(writes: tuple[Write, ...]) -> str:
    return f"WITH {', '.join(_renumbered(writes))} {writes[-1].answer}"


def _renumbered(writes: tuple[Write, ...]) -> Iterator[str]:
    before = 0
    for write in writes:
        yield _POSITION.sub(lambda found: f"${int(found[1]) + before}", write.parts)  # noqa: B023  (called at once)
        before += len(write.names)
