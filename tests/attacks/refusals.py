"""How a refusal must look, whatever it refuses."""

import re
from collections.abc import Iterable
from typing import TypeVar

import grpc
from google.protobuf.message import Message
from google.rpc import error_details_pb2, status_pb2

from kapda.api.common.v1 import error_reason_pb2

_M = TypeVar("_M", bound=Message)
_REASONS = {name.removeprefix("ERROR_REASON_") for name, _ in error_reason_pb2.ErrorReason.items()}
# A refusal that tells of the machine: classes, statements, files, addresses.
MACHINE = re.compile(
    rb"Traceback|asyncpg|sqlalchemy|SELECT |INSERT |UPDATE |kapda\.(domain|adapters|entrypoints)|\.py\b|/src/|site-packages"
    rb"|postgresql://|redis://|razorpay\.com|Exception\b|[A-Z][a-z]+Error\b|0x[0-9a-f]{8,}",
)
MAX_BYTES = 6 * 1024


class Refusal:
    """A refused call, its shape checked."""

    def __init__(self, error: grpc.aio.AioRpcError) -> None:
        self.code = error.code()
        self.text = error.details() or ""
        metadata = list(error.trailing_metadata() or ())
        found = [value for name, value in metadata if name == "grpc-status-details-bin"]
        assert len(found) == 1, f"{self.code.name} without details: {self.text!r}"
        (packed,) = found
        assert isinstance(packed, bytes)
        self.status = status_pb2.Status.FromString(packed)
        assert (self.status.code, self.status.message) == (self.code.value[0], self.text)
        kinds = [detail.type_url for detail in self.status.details]
        assert len(kinds) == len(set(kinds)), kinds
        info = self.detail(error_details_pb2.ErrorInfo)
        self.reason = info.reason
        self.facts = dict(info.metadata)
        assert (info.domain, info.reason in _REASONS) == ("kapda.in", True), info
        assert self.detail(error_details_pb2.RequestInfo).request_id
        self.everything = packed + b"".join(
            value if isinstance(value, bytes) else value.encode() for _, value in metadata
        )
        assert len(self.everything) < MAX_BYTES, len(self.everything)
        told = MACHINE.search(self.everything)
        assert told is None, f"tells of the machine: {told}"

    @property
    def fields(self) -> list[str]:
        """The fields that break a rule, as the refusal names them."""
        if not any(detail.type_url == _url(error_details_pb2.BadRequest) for detail in self.status.details):
            return []
        return [violation.field for violation in self.detail(error_details_pb2.BadRequest).field_violations]

    def detail(self, kind: type[_M]) -> _M:
        """The one detail of the kind."""
        (packed,) = [detail for detail in self.status.details if detail.type_url == _url(kind)]
        message = kind()
        assert packed.Unpack(message)
        return message

    def tells(self, secrets: Iterable[str]) -> list[str]:
        """Which of the secrets stand in it."""
        return [secret for secret in secrets if secret and secret.encode() in self.everything]


def _url(kind: type[Message]) -> str:
    return f"type.googleapis.com/{kind.DESCRIPTOR.full_name}"
