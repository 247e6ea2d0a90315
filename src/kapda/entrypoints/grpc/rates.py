"""How often which method may be called, and by what that is counted: read from the contract."""

from collections.abc import Callable, Iterable, Mapping
from enum import Enum, unique
from typing import Protocol

from google.protobuf import message_factory
from google.protobuf.descriptor import MethodDescriptor, ServiceDescriptor
from google.protobuf.message import DecodeError

from kapda.api.common.v1 import access_pb2


@unique
class Bucket(Enum):
    """What is counted together; the settings say how many fit into each and how soon it empties."""

    AUTH = "auth"
    AUTH_NETWORK = "auth_network"
    CALLER = "caller"
    NETWORK = "network"


class RateLimits(Protocol):
    """Counts calls."""

    async def take(self, bucket: str, key: str) -> float | None:
        """Count one call of `key` in the bucket; None if it may be served, else the seconds until another may.

        One round trip at most for a call that may be served, and none for most. Never raises for a store that is down.
        """
        ...


class IdentifierOf(Protocol):
    """Names for addresses that do not tell them."""

    def of(self, identifier: str) -> str:
        """The digest of an address in any spelling."""
        ...


EmailOf = Callable[[bytes], str | None]


def read_rates(services: Iterable[ServiceDescriptor]) -> Mapping[str, int]:
    """The rate of each method by its path; one that declares none has that of most methods."""
    return {
        f"/{service.full_name}/{method.name}": method.GetOptions().Extensions[access_pb2.access].rate
        for service in services
        for method in service.methods
    }


def email_readers(services: Iterable[ServiceDescriptor]) -> Mapping[str, EmailOf]:
    """For each method that is counted by the address in its request, how to read it from the request's bytes."""
    return {
        f"/{service.full_name}/{method.name}": _reader(method)
        for service in services
        for method in service.methods
        if "email" in method.input_type.fields_by_name
        and method.GetOptions().Extensions[access_pb2.access].rate == access_pb2.RATE_AUTH
    }


def _reader(method: MethodDescriptor) -> EmailOf:
    message_class = message_factory.GetMessageClass(method.input_type)

    def read(request: bytes) -> str | None:
        try:
            email: str = getattr(message_class.FromString(request), "email")  # noqa: B009 - the class is made at run time
        except DecodeError:
            # The interceptor of messages says so, in the one error shape.
            return None
        return email

    return read
