"""How often which method may be called, and by what that is counted: read from the contract."""

from collections.abc import Callable, Iterable, Mapping
from enum import Enum, unique
from math import ceil
from typing import Protocol

from google.protobuf import message_factory
from google.protobuf.descriptor import MethodDescriptor, ServiceDescriptor
from google.protobuf.message import DecodeError

from kapda.api.common.v1 import access_pb2
from kapda.domain.shared.errors import Reason, ResourceExhaustedError


@unique
class Bucket(Enum):
    """What is counted together; the settings say how many fit into each and how soon it empties."""

    AUTH = "auth"
    AUTH_NETWORK = "auth_network"
    CALLER = "caller"
    NETWORK = "network"
    REFUSED = "refused"
    REFRESH = "refresh"
    EXPENSIVE = "expensive"


class RateLimits(Protocol):
    """Counts calls."""

    async def take(self, bucket: str, key: str) -> float | None:
        """Count one call of `key` in the bucket; None if it may be served, else the seconds until another may.

        One round trip at most for a call that may be served, and none for most. Never raises for a store that is down.
        """
        ...

    def spent(self, bucket: str, key: str) -> float | None:
        """The seconds until another call may be served, where it is known already that none may now. Counts nothing and asks
        nobody, so it may know of less than is true."""
        ...


class IdentifierOf(Protocol):
    """Names for addresses and tokens that do not tell them."""

    def of(self, identifier: str) -> str:
        """The digest of an address in any spelling, or of a token."""
        ...


async def take(limits: RateLimits, bucket: Bucket, key: str) -> None:
    """Count one call. Raises ResourceExhaustedError (RATE_LIMITED) for one too many."""
    check(bucket, await limits.take(bucket.value, key))


def check(bucket: Bucket, wait: float | None) -> None:
    """Raises ResourceExhaustedError (RATE_LIMITED) where there is something to wait for."""
    if wait is None:
        return
    seconds = max(1, ceil(wait))
    raise ResourceExhaustedError(
        Reason.RATE_LIMITED,
        f"too many calls; try again in {seconds} s",
        metadata={"limit": bucket.value, "retry_after_seconds": str(seconds)},
        retry_after=seconds,
    )


SubjectOf = Callable[[bytes], str | None]

# By what a request is counted, beside its network.
_SUBJECTS = {access_pb2.RATE_AUTH: "email", access_pb2.RATE_REFRESH: "refresh_token"}


def read_rates(services: Iterable[ServiceDescriptor]) -> Mapping[str, int]:
    """The rate of each method by its path; one that declares none has that of most methods."""
    return {
        f"/{service.full_name}/{method.name}": method.GetOptions().Extensions[access_pb2.access].rate
        for service in services
        for method in service.methods
    }


def subject_readers(services: Iterable[ServiceDescriptor]) -> Mapping[str, SubjectOf]:
    """For each method that is counted by something in its request, how to read that from the request's bytes."""
    found: dict[str, SubjectOf] = {}
    for service in services:
        for method in service.methods:
            name = _SUBJECTS.get(method.GetOptions().Extensions[access_pb2.access].rate)
            if name is not None and name in method.input_type.fields_by_name:
                found[f"/{service.full_name}/{method.name}"] = _reader(method, name)
    return found


def _reader(method: MethodDescriptor, field: str) -> SubjectOf:
    message_class = message_factory.GetMessageClass(method.input_type)

    def read(request: bytes) -> str | None:
        try:
            subject: str = getattr(message_class.FromString(request), field)
        except DecodeError:
            # The interceptor of messages says so, in the one error shape.
            return None
        return subject

    return read
