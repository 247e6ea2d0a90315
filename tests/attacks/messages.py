"""Requests made from the contract alone: good ones by its rules, from what the caller knows."""

from dataclasses import dataclass, field
from typing import Any

from google.api import field_behavior_pb2
from google.protobuf.descriptor import FieldDescriptor, OneofDescriptor
from google.protobuf.message import Message
from protovalidate import Validator, Violation

from kapda.api.common.v1.address_pb2 import Address
from kapda.api.common.v1.money_pb2 import Money
from tests.attacks.contract import Method
from tests.attacks.known import Known
from tests.attacks.values import Values, rules_of

# What rules about one field cannot say. A request that nobody can get past VALIDATION_FAILED needs a line here; the test
# that finds it names the request.
_WHOLE_MESSAGES: dict[str, dict[str, str | int]] = {
    Address.DESCRIPTOR.full_name: {
        "name": "Asha Rao",
        "phone": "+919876543210",
        "city": "Pune",
        "state_code": "MH",
        "pin_code": "411004",
    },
    Money.DESCRIPTOR.full_name: {"currency_code": "INR"},
}
_TEXTS = {"password": "corridor-lantern-41-peacock", "query": "kurta", "category": "kurta"}
# Optional fields that are filters: a list that is asked for everything finds more.
_SELDOM = 0.2
_VALIDATOR = Validator()


@dataclass(slots=True)
class Messages:
    """Makes requests."""

    values: Values
    known: Known
    validator: Validator = field(default_factory=lambda: _VALIDATOR)

    def good(self, method: Method, caller: str) -> Message:
        """A request of the method that keeps every rule, with ids of the caller's own where there are some."""
        found: list[Violation] = []
        for _ in range(20):
            request = method.new_request()
            self._fill(request, caller)
            found = self.validator.collect_violations(request)
            if not found:
                return request
        broken = [f"{violation.proto.rule_id}: {violation.proto.message}" for violation in found]
        raise AssertionError(
            f"no well-formed {method.request.full_name} can be made by itself: {broken}; "
            f"give tests/attacks/messages.py what its rules do not say"
        )

    def _fill(self, message: Message, caller: str) -> None:
        sample = _WHOLE_MESSAGES.get(message.DESCRIPTOR.full_name, {})
        for descriptor in self._chosen(message):
            rules = rules_of(descriptor)
            if descriptor.name in sample:
                setattr(message, descriptor.name, sample[descriptor.name])
            elif descriptor.is_repeated:
                self._fill_list(message, descriptor, caller)
            elif descriptor.cpp_type == FieldDescriptor.CPPTYPE_MESSAGE:
                if rules.required or self.values.dice.random() < _SELDOM:
                    self._fill_message(_present(message, descriptor), descriptor, caller)
            elif _is_needed(descriptor) or self.values.dice.random() < _SELDOM:
                setattr(message, descriptor.name, self._one(descriptor, rules, caller))

    def _fill_message(self, message: Message, descriptor: FieldDescriptor, caller: str) -> None:
        ready = self.values.good_message(descriptor, rules_of(descriptor))
        if ready is None:
            self._fill(message, caller)
        else:
            message.CopyFrom(ready)

    def _chosen(self, message: Message) -> list[FieldDescriptor]:
        """Every field, but one of each that exclude each other."""
        descriptor: Any = message.DESCRIPTOR
        real: list[OneofDescriptor] = [one for one in descriptor.oneofs if not _is_synthetic(one)]
        left_out = [f for one in real for f in self.values.dice.sample(list(one.fields), len(one.fields) - 1)]
        return [one for one in descriptor.fields if one not in left_out]

    def _fill_list(self, message: Message, descriptor: FieldDescriptor, caller: str) -> None:
        rules = rules_of(descriptor).repeated
        # An optional list is a filter, unless it is of messages: then the request is about it.
        few = rules.min_items or (1 if descriptor.message_type is not None else 0)
        values = getattr(message, descriptor.name)
        for _ in range(max(few, self.values.dice.choice([0, 0, 0, 0, 2]))):
            if descriptor.message_type is not None:
                self._fill_message(values.add(), descriptor, caller)
            elif (one := self._one(descriptor, rules.items, caller)) not in values:
                values.append(one)

    def _one(self, descriptor: FieldDescriptor, rules: Any, caller: str) -> Any:
        if descriptor.name in _TEXTS:
            return _TEXTS[descriptor.name]
        if descriptor.full_name == f"{Money.DESCRIPTOR.full_name}.amount_minor":
            return int(self.known.pick(caller, "amount_minor", self.values.dice) or 100_000)
        # Most requests are new ones, and half of the addresses are somebody's already.
        fresh = {"request_id": 0.95, "email": 0.5}.get(descriptor.name, 0.0)
        if descriptor.cpp_type == FieldDescriptor.CPPTYPE_STRING and self.values.dice.random() >= fresh:
            told = self.known.pick(caller, descriptor.name, self.values.dice)
            if told is not None:
                return told
        if descriptor.cpp_type == FieldDescriptor.CPPTYPE_STRING and not _is_needed(descriptor):
            return "" if descriptor.name == "page_token" else self.values.good(descriptor, rules)
        return self.values.good(descriptor, rules)


def _present(message: Message, descriptor: FieldDescriptor) -> Message:
    inner: Message = getattr(message, descriptor.name)
    inner.SetInParent()
    return inner


def _is_needed(descriptor: FieldDescriptor) -> bool:
    options: Any = descriptor.GetOptions()
    behaviours = options.Extensions[field_behavior_pb2.field_behavior]
    return field_behavior_pb2.OPTIONAL not in behaviours and field_behavior_pb2.OUTPUT_ONLY not in behaviours


def _is_synthetic(oneof: OneofDescriptor) -> bool:
    return len(oneof.fields) == 1 and oneof.name == f"_{oneof.fields[0].name}"
