"""A server that dies between two messages confuses the driver: callers are told to come again."""

import asyncpg

from kapda.adapters.postgres.constraint_errors import domain_error
from kapda.domain.shared.errors import Reason, UnavailableError


def test_a_driver_that_lost_its_thread_is_an_unavailable_database() -> None:
    meaning = domain_error(asyncpg.InternalClientError("cannot switch to state 15"))
    assert isinstance(meaning, UnavailableError)
    assert meaning.reason is Reason.DATABASE_UNAVAILABLE
