"""The shape of messages, as the protos declare it: every broken rule at once."""

from google.protobuf.message import Message
from protovalidate import Validator, Violation

from kapda.domain.shared.errors import FieldViolation, InvalidArgumentError, Reason
from kapda.entrypoints.grpc.call import Context
from kapda.entrypoints.grpc.interceptors.unary import Proceed, UnaryInterceptor


class Validation(UnaryInterceptor):
    """Refuses a request that breaks a rule of its message."""

    def __init__(self) -> None:
        super().__init__()
        self._validator = Validator()

    async def around(self, _method: str, request: Message, context: Context, proceed: Proceed, /) -> Message:
        """Serve the call if its request is well-formed. Raises InvalidArgumentError (VALIDATION_FAILED)."""
        found = self._validator.collect_violations(request)
        if found:
            violations = tuple(FieldViolation(_path(violation), violation.proto.message) for violation in found)
            fields = ", ".join(dict.fromkeys(violation.field for violation in violations))
            raise InvalidArgumentError(Reason.VALIDATION_FAILED, f"not well-formed: {fields}", violations=violations)
        return await proceed(request, context)


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
