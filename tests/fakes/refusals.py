"""Expecting a refusal: the reason, and that it left nothing behind."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import pytest

from kapda.domain.shared.errors import DomainError, Reason
from tests.fakes.database import InMemoryDatabase


@dataclass
class Refusal:
    """The error, once the block is over."""

    caught: DomainError | None = None

    @property
    def error(self) -> DomainError:
        """What was raised."""
        assert self.caught is not None
        return self.caught


@contextmanager
def refused(reason: Reason) -> Iterator[Refusal]:
    """The block is refused for that reason."""
    refusal = Refusal()
    with pytest.raises(DomainError) as raised:
        yield refusal
    assert raised.value.reason is reason
    refusal.caught = raised.value


@contextmanager
def refused_with_nothing_committed(database: InMemoryDatabase, reason: Reason) -> Iterator[Refusal]:
    """The same, and what is committed stays as it was."""
    before, commits = database.tables, database.commits
    with refused(reason) as refusal:
        yield refusal
    assert (database.tables is before, database.commits) == (True, commits)
