"""How much one customer, or one door, may keep from everybody else without paying.

A checkout holds stock for half an hour at no cost, so whoever wants an empty shop needs only many checkouts. What stands in
the way, from the inside out:

- A cart has one live checkout, a customer one cart, and a line its product's limit: one customer holds at most that many
  pieces of a variant at a time. Guests hold nothing, however many carts they have.
- A customer who starts checkouts and lets them end unpaid is slowed down. An hour's limit stops scripts; a day's stops
  whoever holds on by starting again every half hour: 20 holds of 30 minutes keep a piece for 10 of 24 hours at most.
- Checkouts for one door are limited across customers. Accounts cost nothing, doors that goods can be sent to do.
"""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from hashlib import sha256

from kapda.domain.checkout.checkout import CheckoutState
from kapda.domain.checkout.policy import CAPTURE_WINDOW, HOLD_SLACK, PAY_WINDOW
from kapda.domain.shared.address import Address
from kapda.domain.shared.errors import Reason, ResourceExhaustedError


@dataclass(frozen=True, slots=True)
class StartLimit:
    """How many checkouts that end unpaid one customer may start within a time."""

    name: str
    allowed: int
    within: timedelta


# Cancelled payments, a size changed and a second thought make three or four; ten in an hour is nobody's shopping.
HOURLY = StartLimit("unpaid_checkouts_an_hour", 10, timedelta(hours=1))
# A day of indecision; more than that is not about buying.
DAILY = StartLimit("unpaid_checkouts_a_day", 20, timedelta(days=1))
START_LIMITS = (HOURLY, DAILY)
# How far back, and how many starts, the limits look at.
LONGEST_WINDOW = max(limit.within for limit in START_LIMITS)
MOST_STARTS = max(limit.allowed for limit in START_LIMITS)
# States in which a checkout has ended without money. `failed` is not among them: the gateway refused, not the customer.
UNPAID = frozenset({CheckoutState.SUPERSEDED, CheckoutState.ABANDONED, CheckoutState.EXPIRED})
# Other customers with a live checkout for one door. Families are three or four; a hostel's floor or an office's team in a
# sale fits in ten, because the flat, room or floor is part of the door.
DOOR_LIMIT = 10
# By then every checkout that holds the door now has been paid for or has run out, unless it began again.
_DOOR_RETRY = PAY_WINDOW + CAPTURE_WINDOW + HOLD_SLACK


@dataclass(frozen=True, slots=True)
class HoldPressure:
    """What the limits are judged by: when the customer's latest unpaid checkouts started, newest first, and how many
    other customers have a live checkout for the same door."""

    unpaid_starts: Sequence[datetime]
    others_at_door: int

    def with_unpaid(self, started: datetime) -> "HoldPressure":
        """The same once a checkout that was started then has ended unpaid, too."""
        starts = sorted((*self.unpaid_starts, started), reverse=True)
        return replace(self, unpaid_starts=tuple(starts[:MOST_STARTS]))


def door_of(address: Address) -> bytes:
    """A digest that is the same for one door however its lines are spaced, punctuated, split or capitalised.

    Names and telephone numbers are left out: they are free to make up. So are city and state, which the PIN code says.
    Spelling the street differently makes another door; that is as far as text can be trusted.
    """
    text = unicodedata.normalize("NFKC", f"{address.line1}{address.line2}").casefold()
    letters = "".join(char for char in text if char.isalnum() or unicodedata.category(char)[0] == "M")
    return sha256(f"{address.pin_code}:{letters}".encode()).digest()


def check_hold_limits(pressure: HoldPressure, now: datetime) -> None:
    """Raises ResourceExhaustedError (RATE_LIMITED), with the time after which it is worth another try."""
    for limit in START_LIMITS:
        if len(pressure.unpaid_starts) < limit.allowed:
            continue
        again = pressure.unpaid_starts[limit.allowed - 1] + limit.within
        if now < again:
            raise _too_many(limit.name, limit.allowed, again - now)
    if pressure.others_at_door >= DOOR_LIMIT:
        raise _too_many("live_checkouts_for_one_door", DOOR_LIMIT, _DOOR_RETRY)


def _too_many(name: str, allowed: int, wait: timedelta) -> ResourceExhaustedError:
    return ResourceExhaustedError(
        Reason.RATE_LIMITED,
        f"too many {name.replace('_', ' ')}: {allowed} are allowed",
        metadata={"limit": name, "allowed": str(allowed)},
        retry_after=wait.total_seconds(),
    )
