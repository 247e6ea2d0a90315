"""Every method that the server offers, read from its descriptors: new ones are attacked without a line of ours."""

from dataclasses import dataclass
from typing import TypeAlias

from google.protobuf import message_factory
from google.protobuf.descriptor import Descriptor, FieldDescriptor, MethodDescriptor
from google.protobuf.message import Message

from kapda.api.common.v1 import access_pb2
from kapda.entrypoints.grpc.access_rules import AccessRule, read_rules
from kapda.entrypoints.grpc.services import SERVICES

# How deep fields within fields are attacked. No request of ours is deeper; one that is says so in `fields_of`.
MAX_DEPTH = 4


@dataclass(frozen=True, slots=True)
class Method:
    """One method of the contract."""

    descriptor: MethodDescriptor
    rule: AccessRule

    @property
    def path(self) -> str:
        """`/package.Service/Method`, as gRPC addresses it."""
        return f"/{self.descriptor.containing_service.full_name}/{self.descriptor.name}"

    @property
    def owned(self) -> bool:
        """Whether it works on things that have an owner."""
        return self.descriptor.GetOptions().Extensions[access_pb2.access].owned

    @property
    def request(self) -> Descriptor:
        """The type of its requests."""
        return self.descriptor.input_type

    def new_request(self) -> Message:
        """A request with nothing in it."""
        return message_factory.GetMessageClass(self.descriptor.input_type)()

    def read_response(self, received: bytes) -> Message:
        """The response, parsed."""
        response = message_factory.GetMessageClass(self.descriptor.output_type)()
        response.ParseFromString(received)
        return response


_RULES = read_rules(service.descriptor for service in SERVICES)
METHODS = [
    Method(method, _RULES[f"/{service.descriptor.full_name}/{method.name}"])
    for service in SERVICES
    for method in service.descriptor.methods
]


def method_named(name: str) -> Method:
    """The one method of that name."""
    (found,) = [method for method in METHODS if method.descriptor.name == name]
    return found


Path: TypeAlias = tuple[FieldDescriptor, ...]


def fields_of(message: Descriptor) -> list[Path]:
    """The way to every field, those of messages within included."""
    return _walk(message, ())


def _walk(message: Descriptor, above: Path) -> list[Path]:
    assert len(above) < MAX_DEPTH, f"{message.full_name} nests deeper than the attacks reach: raise MAX_DEPTH"
    found: list[Path] = []
    for field in message.fields:
        here = (*above, field)
        found.append(here)
        inner = field.message_type
        if inner is not None and not inner.full_name.startswith("google.protobuf."):
            found += _walk(inner, here)
    return found
