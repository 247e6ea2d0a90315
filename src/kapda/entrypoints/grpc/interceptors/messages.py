"""From bytes to a message that keeps every rule of the contract, and back to bytes."""

from collections.abc import Callable, Iterable
from typing import Any

from google.protobuf import message_factory
from google.protobuf.descriptor import ServiceDescriptor
from google.protobuf.message import DecodeError, Message
from protovalidate import Validator, Violation

from kapda.domain.shared.errors import FieldViolation, InvalidArgumentError, Reason
from kapda.entrypoints.grpc.call import Context
from kapda.entrypoints.grpc.interceptors.impossible import ImpossibleValues
from kapda.entrypoints.grpc.interceptors.unary import Handler, Proceed, UnaryInterceptor


class Messages(UnaryInterceptor):
    """The innermost interceptor: parses the request, refuses one that breaks a rule, and serialises the response.

    grpc would parse before any interceptor runs, and send its own exception's text to whoever sends it garbage.
    """

    def __init__(self, services: Iterable[ServiceDescriptor]) -> None:
        """Compiles the rules of every request now: a rule that does not compile stops the start, and the first caller
        of a method does not wait some milliseconds for it. Raises protovalidate's CompilationError."""
        super().__init__()
        self._validator = Validator()
        requests = [method.input_type for service in services for method in service.methods]
        for request in requests:
            self._validator.collect_violations(message_factory.GetMessageClass(request)())
        self._impossible = ImpossibleValues(requests)
        self._parse: dict[str, Callable[[bytes], Message]] = {}
        self._serialise: dict[str, Callable[[Message], bytes]] = {}

    def wrap(self, method: str, handler: Handler) -> Handler:
        """Remember how the method's messages are read and written."""
        if handler.request_deserializer is None or handler.response_serializer is None:
            raise TypeError(f"{method} has no message types: this interceptor stands next to the servicer")
        self._parse[method] = handler.request_deserializer
        self._serialise[method] = handler.response_serializer
        return super().wrap(method, handler)

    async def around(self, method: str, request: bytes, context: Context, proceed: Proceed, /) -> bytes:
        """Serve the call if its request is well-formed. Raises InvalidArgumentError (VALIDATION_FAILED)."""
        try:
            message = self._parse[method](request)
        except DecodeError as error:
            raise InvalidArgumentError(
                Reason.VALIDATION_FAILED, "the request is not a message of the method"
            ) from error
        violations = [_violation(found) for found in self._validator.collect_violations(message)]
        violations += self._impossible.of(request, message)
        if violations:
            raise _refusal(violations)
        response: Any = await proceed(message, context)
        return self._serialise[method](response)


def _refusal(violations: list[FieldViolation]) -> InvalidArgumentError:
    fields = ", ".join(dict.fromkeys(violation.field for violation in violations))
    return InvalidArgumentError(Reason.VALIDATION_FAILED, f"not well-formed: {fields}", violations=tuple(violations))


def _violation(found: Violation) -> FieldViolation:
    return FieldViolation(_path(found), found.proto.message)


def _path(violation: Violation) -> str:
    """The field as the caller wrote it, such as `address.pin_code` or `sizes[2]`."""
    field = violation.proto.field
    if field is None:
        return ""
    parts = []
    for element in field.elements:
        subscript = element.subscript
        parts.append(element.field_name if subscript is None else f"{element.field_name}[{subscript.value}]")
    return ".".join(parts)
