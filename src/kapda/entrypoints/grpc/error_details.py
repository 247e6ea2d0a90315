"""Domain errors as google.rpc.Status: one code for each kind, and the details that fit.

Everything is kept far below gRPC's limit for metadata, 8 KiB for all of it, in which the message counts twice: above
that, calls fail at random with another code than ours.
"""

from collections.abc import Iterable, Mapping

import grpc
from google.protobuf.any_pb2 import Any as AnyMessage
from google.protobuf.message import Message
from google.rpc import error_details_pb2, status_pb2

from kapda.domain.shared.errors import DomainError, Kind, Precondition, Reason

DOMAIN = "kapda.in"
MAX_MESSAGE_BYTES = 512
MAX_VIOLATIONS = 20
MAX_TEXT_BYTES = 160
MAX_METADATA_ENTRIES = 16
# What is left of 8 KiB after the message, base64 on proxies that need it, and the keys of others.
MAX_STATUS_BYTES = 4096
# A gateway copies this message into the header WWW-Authenticate.
MAX_UNAUTHENTICATED_BYTES = 120
# How long to wait, in seconds, where the error says nothing better.
_WAIT: Mapping[Kind, float] = {Kind.UNAVAILABLE: 1.0, Kind.ABORTED: 0.5, Kind.RESOURCE_EXHAUSTED: 1.0}

CODES: Mapping[Kind, grpc.StatusCode] = {
    Kind.INVALID_ARGUMENT: grpc.StatusCode.INVALID_ARGUMENT,
    Kind.UNAUTHENTICATED: grpc.StatusCode.UNAUTHENTICATED,
    Kind.PERMISSION_DENIED: grpc.StatusCode.PERMISSION_DENIED,
    Kind.NOT_FOUND: grpc.StatusCode.NOT_FOUND,
    Kind.ALREADY_EXISTS: grpc.StatusCode.ALREADY_EXISTS,
    Kind.FAILED_PRECONDITION: grpc.StatusCode.FAILED_PRECONDITION,
    Kind.ABORTED: grpc.StatusCode.ABORTED,
    Kind.RESOURCE_EXHAUSTED: grpc.StatusCode.RESOURCE_EXHAUSTED,
    Kind.UNAVAILABLE: grpc.StatusCode.UNAVAILABLE,
}


def status_of(error: DomainError, request_id: str) -> status_pb2.Status:
    """The status of a domain error."""
    message = error.message
    if error.kind is Kind.UNAUTHENTICATED:
        message = _cut(message.encode("ascii", "replace").decode(), MAX_UNAUTHENTICATED_BYTES)
    details: list[Message] = [_error_info(error.reason.value, error.metadata), _request_info(request_id)]
    details += filter(None, (_retry_info(error), _resource_info(error), _quota_failure(error)))
    violations = _violations(error)
    status = _status(CODES[error.kind], message, details, violations)
    while violations and status.ByteSize() > MAX_STATUS_BYTES:
        violations.pop()
        status = _status(CODES[error.kind], message, details, violations)
    return status


def plain_status(code: grpc.StatusCode, reason: str, message: str, request_id: str) -> status_pb2.Status:
    """A status for what is no domain error, with the two details that every error has."""
    return _status(code, message, [_error_info(reason, {}), _request_info(request_id)], [])


def _status(
    code: grpc.StatusCode, message: str, details: Iterable[Message], violations: Iterable[Message]
) -> status_pb2.Status:
    status = status_pb2.Status(code=code.value[0], message=_cut(message, MAX_MESSAGE_BYTES))
    bad_request, failure = error_details_pb2.BadRequest(), error_details_pb2.PreconditionFailure()
    for violation in violations:
        if isinstance(violation, error_details_pb2.BadRequest.FieldViolation):
            bad_request.field_violations.append(violation)
        elif isinstance(violation, error_details_pb2.PreconditionFailure.Violation):
            failure.violations.append(violation)
    for detail in (*details, bad_request, failure):
        if detail.ByteSize():
            packed = AnyMessage()
            packed.Pack(detail)
            status.details.append(packed)
    return status


def _error_info(reason: str, metadata: Mapping[str, str]) -> Message:
    kept = list(metadata.items())[:MAX_METADATA_ENTRIES]
    return error_details_pb2.ErrorInfo(
        reason=reason, domain=DOMAIN, metadata={key: _cut(value, MAX_TEXT_BYTES) for key, value in kept}
    )


def _request_info(request_id: str) -> Message:
    return error_details_pb2.RequestInfo(request_id=request_id)


def _retry_info(error: DomainError) -> Message | None:
    wait = error.retry_after
    if wait is None and error.reason is not Reason.ETAG_MISMATCH:
        wait = _WAIT.get(error.kind)
    if wait is None:
        return None
    info = error_details_pb2.RetryInfo()
    info.retry_delay.FromNanoseconds(round(wait * 1e9))
    return info


def _resource_info(error: DomainError) -> Message | None:
    if error.kind is not Kind.NOT_FOUND:
        return None
    resource = error.reason.value.removesuffix("_NOT_FOUND").lower()
    name = error.metadata.get(f"{resource}_id", "")
    return error_details_pb2.ResourceInfo(resource_type=resource, resource_name=_cut(name, MAX_TEXT_BYTES))


def _quota_failure(error: DomainError) -> Message | None:
    if error.kind is not Kind.RESOURCE_EXHAUSTED:
        return None
    failure = error_details_pb2.QuotaFailure()
    failure.violations.add(subject=error.reason.value, description=_cut(error.message, MAX_TEXT_BYTES))
    return failure


def _violations(error: DomainError) -> list[Message]:
    """The broken rules of fields, or the facts in the way: an error has one or the other."""
    if error.violations:
        return [
            error_details_pb2.BadRequest.FieldViolation(
                field=_cut(violation.field, MAX_TEXT_BYTES),
                description=_cut(violation.description, MAX_TEXT_BYTES),
                reason=error.reason.value,
            )
            for violation in error.violations[:MAX_VIOLATIONS]
        ]
    if error.kind is not Kind.FAILED_PRECONDITION:
        return []
    stated = error.preconditions or (Precondition(error.reason.value, "", error.message),)
    return [
        error_details_pb2.PreconditionFailure.Violation(
            type=_cut(fact.type, MAX_TEXT_BYTES),
            subject=_cut(fact.subject, MAX_TEXT_BYTES),
            description=_cut(fact.description, MAX_TEXT_BYTES),
        )
        for fact in stated[:MAX_VIOLATIONS]
    ]


def _cut(text: str, limit: int) -> str:
    """At most `limit` bytes of UTF-8, never half a character."""
    encoded = text.encode()
    return text if len(encoded) <= limit else encoded[:limit].decode(errors="ignore")
