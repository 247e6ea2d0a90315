"""What each caller has been told: ids, tokens, etags and names, found in the answers themselves."""

import random
import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message

# A list shows a summary, a desk a case of a payment; requests name the thing itself.
_SHORT_NAMES = {
    "product_summary": ["product"],
    "order_summary": ["order"],
    "payment_case": ["case"],
    "saved_address": ["address"],
    "managed_user": ["user", "subject"],
    "user": ["subject", "actor"],
}
_KEPT = 200


@dataclass(slots=True)
class Known:
    """Values by the name a request's field would have, for each caller."""

    _values: dict[tuple[str, str], list[str]] = field(default_factory=lambda: defaultdict(list))

    def learn(self, caller: str, name: str, value: str) -> None:
        """Remember one; the oldest are forgotten."""
        values = self._values[caller, name]
        if value and value not in values:
            values.append(value)
            del values[:-_KEPT]

    def learn_from(self, caller: str, response: Message) -> None:
        """Remember every text in a response."""
        for name, value in _texts(response):
            self.learn(caller, name, value)

    def forget(self, caller: str, *, but: frozenset[str]) -> None:
        """Forget all that the caller knows under other names."""
        for who, name in list(self._values):
            if who == caller and name not in but:
                del self._values[who, name]

    def of(self, caller: str, name: str) -> list[str]:
        """What the caller knows under the name."""
        return self._values[caller, name]

    def of_others(self, caller: str, name: str) -> list[str]:
        """What others know under the name and the caller does not."""
        own = set(self.of(caller, name))
        return [
            value
            for (other, kind), values in list(self._values.items())
            if kind == name and other != caller
            for value in values
            if value not in own
        ]

    def pick(self, caller: str, name: str, dice: random.Random) -> str | None:
        """One that the caller knows, mostly; now and then another's. None where nobody knows any."""
        own, theirs = self.of(caller, name), self.of_others(caller, name)
        among = own if own and (not theirs or dice.random() < 0.8) else theirs
        if not among:
            return None
        # What was told last belongs together, and is still as it was told.
        return among[-1] if dice.random() < 0.6 else dice.choice(among)


def _texts(message: Message) -> Iterator[tuple[str, str]]:
    thing = _snake(message.DESCRIPTOR.name)
    for descriptor, value in message.ListFields():
        if descriptor.message_type is not None and descriptor.message_type.GetOptions().map_entry:
            continue
        for one in value if descriptor.is_repeated else [value]:
            if descriptor.cpp_type == FieldDescriptor.CPPTYPE_MESSAGE:
                yield from _texts(one)
            elif descriptor.name == "amount_minor":
                yield descriptor.name, str(one)
            elif descriptor.cpp_type == FieldDescriptor.CPPTYPE_STRING and isinstance(one, str):
                yield from ((name, one) for name in _names(thing, descriptor.name))


def _names(thing: str, name: str) -> list[str]:
    if name == "id":
        return [f"{alias}_id" for alias in (thing, *_SHORT_NAMES.get(thing, []))]
    return [name, name.removeprefix("next_")]


def _snake(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()
