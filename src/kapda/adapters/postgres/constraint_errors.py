"""What the database's refusals mean in the domain's words: one table for constraints, one for states of failure."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

import asyncpg
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from kapda.domain.shared.errors import (
    AbortedError,
    AlreadyExistsError,
    DomainError,
    FailedPreconditionError,
    InvalidArgumentError,
    Reason,
    UnavailableError,
)

# Soon: the other transaction is about to be over.
_SOON = 0.1
# After a second a restarted server or an emptied queue has room again.
_LATER = 1.0


def _lost_race() -> DomainError:
    return AbortedError(Reason.CONCURRENT_UPDATE, "another request changed the same thing meanwhile", retry_after=_SOON)


def _email_taken() -> DomainError:
    return AlreadyExistsError(Reason.EMAIL_TAKEN, "the e-mail address is taken")


def _insufficient_stock() -> DomainError:
    return FailedPreconditionError(Reason.INSUFFICIENT_STOCK, "fewer pieces available than requested")


def _unavailable() -> DomainError:
    return UnavailableError(Reason.DATABASE_UNAVAILABLE, "the database cannot answer now", retry_after=_LATER)


def _overloaded() -> DomainError:
    return UnavailableError(Reason.OVERLOADED, "too many requests are waiting for the database", retry_after=_LATER)


# Constraints that a caller can run into; any other violation is a bug of ours and stays one.
BY_CONSTRAINT: Mapping[str, Callable[[], DomainError]] = {
    "users_email_key_unique": _email_taken,
    "stock_on_hand_not_negative": _insufficient_stock,
    "stock_held_within_on_hand": _insufficient_stock,
    "carts_customer_unique": _lost_race,
    "checkouts_one_open_a_cart": _lost_race,
    "checkouts_gateway_order_unique": _lost_race,
    "payments_gateway_payment_unique": _lost_race,
    "payment_cases_subject_unique": _lost_race,
    "refunds_gateway_refund_unique": _lost_race,
    "orders_checkout_unique": _lost_race,
    "orders_payment_unique": _lost_race,
}


def _out_of_range() -> DomainError:
    return InvalidArgumentError.for_field("quantity", "is more than a counter can take")


_BY_SQLSTATE: Mapping[str, Callable[[], DomainError]] = {
    "22003": _out_of_range,  # numeric_value_out_of_range
    "40001": _lost_race,  # serialization_failure
    "40P01": _lost_race,  # deadlock_detected
    "55P03": _overloaded,  # lock_not_available: waited as long as we wait for a lock
    "57014": _overloaded,  # query_canceled: ran as long as we let a statement run
    "53300": _overloaded,  # too_many_connections
    "25P03": _overloaded,  # idle_in_transaction_session_timeout
    "25006": _unavailable,  # read_only_sql_transaction: a standby that was a primary when it was connected to
}
# Classes of a server that cannot go on: connection exceptions, no disk or memory left, operator intervention, system
# errors.
_AWAY_CLASSES = frozenset({"08", "53", "57", "58"})


def domain_error(error: BaseException) -> DomainError | None:
    """The domain's word for a failure below, or None where it is a bug."""
    if isinstance(error, PoolTimeoutError):
        return _overloaded()
    if isinstance(error, OSError):
        return _unavailable()
    # The driver's own errors come bare while a connection is being made, and wrapped afterwards.
    wrapped = error if isinstance(error, DBAPIError) else None
    cause = wrapped.orig.__cause__ if wrapped is not None and wrapped.orig is not None else error
    constraint = getattr(cause, "constraint_name", None)
    sqlstate = getattr(cause, "sqlstate", None) or ""
    meaning = BY_CONSTRAINT.get(constraint or "") or _BY_SQLSTATE.get(sqlstate)
    if meaning is not None:
        return meaning()
    lost = wrapped is not None and wrapped.connection_invalidated
    # The driver loses its own thread when a server dies between two of its messages.
    lost = lost or isinstance(cause, asyncpg.InternalClientError)
    if lost or sqlstate[:2] in _AWAY_CLASSES or isinstance(cause, OSError):
        return _unavailable()
    return None


@contextmanager
def in_domain_words() -> Iterator[None]:
    """Around reads outside a unit of work: failures of the database leave as domain errors where a caller can act on
    them."""
    try:
        yield
    except Exception as error:
        meaning = domain_error(error)
        if meaning is None:
            raise
        raise meaning from error
