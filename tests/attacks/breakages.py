"""Every way in which a request of a method can be wrong, made from a good one."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp
from protovalidate import Validator, Violation

from tests.attacks.contract import Method, Path, fields_of
from tests.attacks.values import Values, rules_of

_LENGTH_DELIMITED, _GROUP = 2, 3
# What no UTF-8 has: a byte of nothing, half a surrogate pair, NUL in two bytes, a character beyond the last.
_NO_UTF8 = [b"\xff", b"\xed\xa0\x80", b"\xc0\x80", b"\xf4\x90\x80\x80"]
_YEAR_2200 = 7_258_118_400
_UNKNOWN_FIELD = 50_000


@dataclass(frozen=True, slots=True)
class Breakage:
    """One wrong request: what is wrong with it, its bytes, and the fields that the refusal has to name."""

    what: str
    request: bytes
    fields: frozenset[str] = frozenset()


def broken_fields(good: Message, method: Method, values: Values, validator: Validator) -> Iterator[Breakage]:
    """One field at a time has a value that breaks its rule, or that cannot be stored anywhere."""
    for path in fields_of(method.request):
        for what, request in _variations(good, path, values):
            fields = {name_of(violation) for violation in validator.collect_violations(request)}
            fields |= set(impossible_fields(request))
            if fields:
                named = ".".join(step.name for step in path)
                yield Breakage(f"{named} is {what}", request.SerializeToString(), frozenset(fields))


def broken_bytes(good: Message, method: Method) -> Iterator[Breakage]:
    """Bytes that are no message of the method, or not the one that its rules want."""
    whole = good.SerializeToString()
    yield Breakage("a length beyond the end", _tag(1, _LENGTH_DELIMITED) + b"\xff\xff\xff\x7f")
    yield Breakage("a varint without an end", b"\x08" + b"\xff" * 11)
    yield Breakage("a group that does not end", _tag(_UNKNOWN_FIELD, _GROUP))
    yield Breakage("groups within groups", _tag(_UNKNOWN_FIELD, _GROUP) * 20_000)
    yield Breakage("a wire type that there is not", b"\x0f")
    yield Breakage("JSON", b'{"request_id": 1}')
    if whole:
        yield Breakage("cut short", whole + _tag(_UNKNOWN_FIELD, _LENGTH_DELIMITED) + b"\x05abc")
    for path in fields_of(method.request):
        top = path[0]
        if len(path) == 1 and top.type == FieldDescriptor.TYPE_STRING:
            for text in _NO_UTF8:
                yield Breakage(f"{top.name} is {text!r}", whole + _delimited(top.number, text))
        if len(path) == 1 and top.type == FieldDescriptor.TYPE_MESSAGE:
            yield Breakage(f"{top.name} is no message", whole + _delimited(top.number, b"\xff\xff"))


def name_of(violation: Violation) -> str:
    """The field of a violation, as the refusal writes it."""
    elements = violation.proto.field.elements if violation.proto.field is not None else ()
    return ".".join(
        one.field_name if one.subscript is None else f"{one.field_name}[{one.subscript.value}]" for one in elements
    )


def impossible_fields(message: Message, above: str = "") -> Iterator[str]:
    """The paths of texts that hold U+0000, and of timestamps that are none or of no use."""
    for descriptor, value in message.ListFields():
        for index, one in enumerate(value if descriptor.is_repeated else [value]):
            path = f"{above}{descriptor.name}[{index}]" if descriptor.is_repeated else f"{above}{descriptor.name}"
            if isinstance(one, Timestamp):
                if not (0 <= one.seconds < _YEAR_2200 and 0 <= one.nanos < 10**9):
                    yield path
            elif isinstance(one, Message):
                yield from impossible_fields(one, f"{path}.")
            elif isinstance(one, str) and "\0" in one:
                yield path


def _variations(good: Message, path: Path, values: Values) -> Iterator[tuple[str, Message]]:
    field = path[-1]
    rules = rules_of(field)
    if not field.is_repeated and field.message_type is None:
        for value in values.odd(field, rules):
            yield _shown(value), with_value(good, path, value)
    elif field.message_type is None:
        for value in values.odd(field, rules.repeated.items):
            yield f"a list with {_shown(value)}", with_value(good, path, [value])
    if field.is_repeated:
        for count in {0, rules.repeated.max_items + 1, 2_000}:
            yield f"a list of {count}", _with_count(good, path, count, values)
    elif field.message_type is not None:
        yield "missing", with_value(good, path, None)
        for odd in values.odd_messages(field):
            yield _shown(odd), with_value(good, path, odd)


def with_value(good: Message, path: Path, value: Any) -> Message:
    """A copy of a request in which one field has that value; None takes the field away."""
    request = type(good)()
    request.CopyFrom(good)
    inner = _inner(request, path)
    field = path[-1]
    inner.ClearField(field.name)
    if field.is_repeated:
        getattr(inner, field.name).extend(value)
    elif isinstance(value, Message):
        getattr(inner, field.name).CopyFrom(value)
    elif value is not None:
        setattr(inner, field.name, value)
    return request


def _with_count(good: Message, path: Path, count: int, values: Values) -> Message:
    request = with_value(good, path, [])
    field = path[-1]
    existing = getattr(_inner(good, path), field.name)
    listed = getattr(_inner(request, path), field.name)
    for _ in range(count):
        if field.message_type is None:
            listed.append(values.good(field, rules_of(field).repeated.items))
        elif existing:
            listed.add().CopyFrom(existing[0])
        else:
            listed.add()
    return request


def _inner(request: Message, path: Path) -> Message:
    """The message that holds the last field of the path; lists on the way have at least one."""
    inner = request
    for step in path[:-1]:
        held = getattr(inner, step.name)
        inner = (held[0] if held else held.add()) if step.is_repeated else held
        if not step.is_repeated:
            inner.SetInParent()
    return inner


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) < 60 else f"{text[:40]}... ({len(text)} characters)"


def _tag(number: int, wire_type: int) -> bytes:
    return _varint(number << 3 | wire_type)


def _delimited(number: int, content: bytes) -> bytes:
    return _tag(number, _LENGTH_DELIMITED) + _varint(len(content)) + content


def _varint(number: int) -> bytes:
    written = bytearray()
    while number > 0x7F:
        written.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*written, number])
