"""Finds values that protobuf carries and nothing behind it can hold, in any field: rules that no field has to repeat."""

from collections.abc import Iterable, Iterator

from google.protobuf.descriptor import Descriptor
from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp

from kapda.domain.shared.errors import FieldViolation

NUL = "must not contain U+0000"
INSTANT = "must be an instant of the years 1970 to 2199"
# The seconds of 1970-01-01T00:00:00Z and 2199-12-31T23:59:59Z. A Timestamp may say more, but nothing of a shop lies there,
# and the end of the calendar is a trap: asyncpg writes its last microsecond as infinity and reads that without a zone, and
# whatever is added to an instant near it overflows.
_FIRST, _LAST = 0, 7_258_118_399


class ImpossibleValues:
    """Texts with U+0000, which UTF-8 has and PostgreSQL's text has not, and timestamps that no shop has."""

    def __init__(self, requests: Iterable[Descriptor]) -> None:
        self._with_instants = {request.full_name for request in requests if _has_instants(request, set())}

    def of(self, written: bytes, message: Message) -> list[FieldViolation]:
        """A violation for each, in a request and the bytes it was read from."""
        # In UTF-8 the character is the byte and nothing else is; most requests have neither it nor an instant.
        if b"\0" not in written and message.DESCRIPTOR.full_name not in self._with_instants:
            return []
        return list(_search(message, ""))


def _has_instants(descriptor: Descriptor, seen: set[str]) -> bool:
    if descriptor.full_name == Timestamp.DESCRIPTOR.full_name:
        return True
    if descriptor.full_name in seen:
        return False
    seen.add(descriptor.full_name)
    inner = [field.message_type for field in descriptor.fields if field.message_type is not None]
    return any(_has_instants(one, seen) for one in inner)


def _search(message: Message, above: str) -> Iterator[FieldViolation]:
    for field, value in message.ListFields():
        path = f"{above}{field.name}"
        if field.message_type is not None and field.message_type.GetOptions().map_entry:
            values = [(f"{path}[{key}]", part) for key, held in value.items() for part in (key, held)]
        elif field.is_repeated:
            values = [(f"{path}[{index}]", one) for index, one in enumerate(value)]
        else:
            values = [(path, value)]
        for name, one in values:
            yield from _judge(one, name)


def _judge(value: object, name: str) -> Iterator[FieldViolation]:
    if isinstance(value, Timestamp):
        if not (_FIRST <= value.seconds <= _LAST and 0 <= value.nanos < 1_000_000_000):
            yield FieldViolation(name, INSTANT)
    elif isinstance(value, Message):
        yield from _search(value, f"{name}.")
    elif isinstance(value, str) and "\0" in value:
        yield FieldViolation(name, NUL)
