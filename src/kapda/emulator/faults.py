"""The faults that are armed now, and the question every door asks: does something go wrong here?

Each fault draws from a generator of its own, made from the seed and the fault's name: the same calls meet the same faults,
whichever others are armed, and the ids the emulator makes stay the same.
"""

import random
from collections.abc import Iterable
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from typing import TypeVar

import msgspec

from kapda.emulator.books import Books
from kapda.emulator.clock import Clock
from kapda.emulator.errors import ApiError
from kapda.emulator.fault_kinds import ApiFault, Fault, WebhookFault
from kapda.emulator.shapes import JsonObject

F = TypeVar("F", bound=Fault)


@dataclass(frozen=True, slots=True)
class Occasion:
    """What is about to happen; what the door does not know the registry looks up where it can."""

    order_id: str | None = None
    payment_id: str | None = None
    receipt: str | None = None
    operation: str | None = None
    method: str | None = None
    path: str | None = None
    event: str | None = None


@dataclass(slots=True)
class _Armed:
    name: str
    fault: Fault
    dice: random.Random
    until: float | None
    seen: int = 0
    used: int = 0

    def strikes(self, now: float) -> bool:
        """Counts an occasion that fits, and decides."""
        if self.until is not None and now >= self.until:
            return False
        self.seen += 1
        if self.seen <= self.fault.skip or self._is_spent:
            return False
        if self.fault.probability < 1 and self.dice.random() >= self.fault.probability:
            return False
        self.used += 1
        return True

    def as_json(self, now: float) -> JsonObject:
        shape: JsonObject = {**msgspec.to_builtins(self.fault), "name": self.name}
        over = self._is_spent or (self.until is not None and now >= self.until)
        return {**shape, "seen": self.seen, "used": self.used, "active": not over}

    @property
    def _is_spent(self) -> bool:
        return self.fault.times is not None and self.used >= self.fault.times


class Faults:
    """All armed faults by name, in the order of their arming: the first that fits and strikes is the one that happens."""

    def __init__(self, *, books: Books, clock: Clock, seed: int) -> None:
        self._books = books
        self._clock = clock
        self._seed = seed
        self._armed: dict[str, _Armed] = {}

    @property
    def any(self) -> bool:
        """Tells whether something is armed at all."""
        return bool(self._armed)

    def replace(self, faults: Iterable[Fault]) -> None:
        """Arms these and no others; those without a name are called fault-1, fault-2, ... by their place.

        Raises:
            ApiError: two have one name; nothing has changed then.
        """
        named = [(fault.name or f"fault-{place}", fault) for place, fault in enumerate(faults, 1)]
        if len({name for name, _ in named}) < len(named):
            raise ApiError("Two faults have the same name.", field="name")
        self._armed = {name: self._arm(name, fault) for name, fault in named}

    def put(self, name: str, fault: Fault) -> None:
        """Arms one more, or another one of that name in its place."""
        self._armed[name] = self._arm(name, fault)

    def remove(self, name: str) -> None:
        """Disarms one.

        Raises:
            ApiError: none has that name.
        """
        if self._armed.pop(name, None) is None:
            raise ApiError("No fault has that name.")

    def clear(self) -> None:
        """Disarms all."""
        self._armed.clear()

    def take(self, kind: type[F], occasion: Occasion) -> F | None:
        """Returns the fault of that kind that happens on this occasion, and counts it."""
        if not self._armed:
            return None
        whole, now = self._complete(occasion), self._clock.now()
        for armed in self._armed.values():
            fault = armed.fault
            if isinstance(fault, kind) and _fits(fault, whole) and armed.strikes(now):
                return fault
        return None

    def as_json(self) -> list[JsonObject]:
        """Returns every armed fault with how often its occasion came and how often it happened."""
        now = self._clock.now()
        return [armed.as_json(now) for armed in self._armed.values()]

    def _arm(self, name: str, fault: Fault) -> _Armed:
        dice = random.Random(f"{self._seed}/{name}")  # noqa: S311 - repeatable faults are the purpose
        until = None if fault.for_seconds is None else self._clock.now() + fault.for_seconds
        return _Armed(name, fault, dice, until)

    def _complete(self, occasion: Occasion) -> Occasion:
        order_id, receipt = occasion.order_id, occasion.receipt
        if order_id is None and (payment := self._books.payments.get(occasion.payment_id or "")) is not None:
            order_id = payment.order_id
        if receipt is None and (order := self._books.orders.get(order_id or "")) is not None:
            receipt = order.receipt
        return replace(occasion, order_id=order_id, receipt=receipt)


def _fits(fault: Fault, occasion: Occasion) -> bool:
    fits = (
        fault.order_id in (None, occasion.order_id)
        and fault.payment_id in (None, occasion.payment_id)
        and fault.receipt in (None, occasion.receipt)
    )
    if isinstance(fault, ApiFault):
        return (
            fits
            and fault.operation in (None, occasion.operation)
            and fault.method in (None, occasion.method)
            and (fault.path is None or fnmatchcase(occasion.path or "", fault.path))
            and (not fault.operations or occasion.operation in fault.operations)
        )
    if isinstance(fault, WebhookFault):
        return fits and (fault.event is None or fnmatchcase(occasion.event or "", fault.event))
    return fits
