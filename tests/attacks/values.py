"""Values for a field of the contract: good ones by its rules, and those on which others have stumbled."""

import random
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.duration_pb2 import Duration
from google.protobuf.field_mask_pb2 import FieldMask
from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp
from rstr import Rstr

from buf.validate import validate_pb2

INT32, INT64 = 2**31 - 1, 2**63 - 1
UINT32, UINT64 = 2**32 - 1, 2**64 - 1
_LIMITS = {
    FieldDescriptor.CPPTYPE_INT32: (-INT32 - 1, INT32),
    FieldDescriptor.CPPTYPE_INT64: (-INT64 - 1, INT64),
    FieldDescriptor.CPPTYPE_UINT32: (0, UINT32),
    FieldDescriptor.CPPTYPE_UINT64: (0, UINT64),
}
_NUMBERS = [0, 1, -1, 2, 127, 128, 255, 1000, 100_001, 1_000_001, 2**24 + 1, INT32, -INT32 - 1, UINT32]
NUMBERS = [*_NUMBERS, 2**53 - 1, 2**53, 1 - 2**53, -(2**53), 10**15, 10**18, INT64, -INT64 - 1, UINT64]
# A NUL that PostgreSQL cannot hold, characters that are not what they look like, text that means something elsewhere.
TEXTS = [
    "",
    " ",
    "\0",
    "a\0b",
    "a\n",
    "\t\r\n",
    "\x1b[31m",
    "\x7f",
    "\u200b",
    "\u202egnp.exe",
    "\ufeffa",
    "\ufffe",
    "\ufffd",
    "\U0010ffff",
    "é",
    "e\u0301",
    "ﬁ",
    "İstanbul",
    "ßẞ",
    "१२३",
    "\u0301" * 40,
    "👨‍👩‍👧‍👦",
    "'; DROP TABLE users; --",
    "%s%s%n{0}{x}",
    "\\",
    "\\x00",
    "\\u0000",
    "{}[]\"'",
    "../../../../etc/passwd",
    "<script>alert(1)</script>",
    "${jndi:ldap://x}",
    "NULL",
    "NaN",
    "Infinity",
    "-0",
    "1e309",
    "0x7f",
    "& | ! ( ) :* <->",
    "00000000-0000-0000-0000-000000000000",
    "{00000000-0000-7000-8000-000000000000}",
    "urn:uuid:00000000-0000-7000-8000-000000000000",
    "ffffffff-ffff-ffff-ffff-ffffffffffff",
]


def rules_of(descriptor: FieldDescriptor) -> validate_pb2.FieldRules:
    """What the contract says of the field."""
    rules: validate_pb2.FieldRules = descriptor.GetOptions().Extensions[validate_pb2.field]
    return rules


# The first and the last second that a Timestamp may have, those beyond, and the last of PostgreSQL and of int64.
_INSTANTS = [
    0,
    -1,
    -62_135_596_801,
    -62_135_596_800,
    253_402_300_799,
    253_402_300_800,
    9_224_318_015_999,
    INT64,
    -INT64 - 1,
]
_NANOS = [0, -1, 999_999_999, 1_000_000_000, INT32]
_MASKS = [[], ["*"], ["nothing.of.the.kind"], [""], ["\0"], ["id", "role"], ["display_name"] * 500, ["a" * 100_000]]
# A format that is missing here fails by its name: give it a line.
_WELL_KNOWN: Mapping[str, Callable[[str], str]] = {
    "uuid": lambda unique: unique,
    "email": lambda unique: f"{unique}@example.com",
    "ip": lambda _: "192.0.2.7",
    "ipv4": lambda _: "192.0.2.7",
    "uri": lambda unique: f"https://example.com/{unique}",
    "hostname": lambda unique: f"{unique}.example.com",
}


@dataclass(slots=True)
class Values:
    """Makes values, the same ones for the same seed."""

    dice: random.Random
    _text: Rstr = field(init=False)

    def __post_init__(self) -> None:
        self._text = Rstr(self.dice)

    def uuid(self) -> str:
        """A UUID that nobody has used."""
        return str(UUID(int=self.dice.getrandbits(128), version=4))

    def good(self, descriptor: FieldDescriptor, rules: validate_pb2.FieldRules) -> Any:
        """A value that keeps the field's rules, as far as they are rules about one value."""
        match descriptor.cpp_type:
            case FieldDescriptor.CPPTYPE_STRING if descriptor.type == FieldDescriptor.TYPE_BYTES:
                return self.dice.randbytes(rules.bytes.len or rules.bytes.min_len or 8)
            case FieldDescriptor.CPPTYPE_STRING:
                return self._good_text(rules.string)
            case FieldDescriptor.CPPTYPE_ENUM:
                return self._good_enum(descriptor, rules.enum)
            case FieldDescriptor.CPPTYPE_BOOL:
                return self.dice.random() < 0.5
            case FieldDescriptor.CPPTYPE_FLOAT | FieldDescriptor.CPPTYPE_DOUBLE:
                return float(self.dice.randrange(1000))
            case _:
                return self._good_number(descriptor, getattr(rules, rules.WhichOneof("type") or "int32"))

    def _good_text(self, rules: validate_pb2.StringRules) -> str:
        kind = rules.WhichOneof("well_known")
        if kind is not None:
            return _WELL_KNOWN[kind](self.uuid())
        if rules.pattern:
            return self._text.xeger(rules.pattern)
        if rules.const:
            return rules.const
        if among := list(getattr(rules, "in")):
            return str(self.dice.choice(among))
        shortest = rules.len or rules.min_len or 1
        longest = rules.len or min(rules.max_len or 40, shortest + 40)
        return "".join(self.dice.choices("abcdefghijklmno_", k=self.dice.randint(shortest, longest)))

    def _good_enum(self, descriptor: FieldDescriptor, rules: validate_pb2.EnumRules) -> int:
        assert descriptor.enum_type is not None
        known = [value.number for value in descriptor.enum_type.values if value.number not in rules.not_in]
        return self.dice.choice([number for number in known if number != 0] or known)

    def _good_number(self, descriptor: FieldDescriptor, rules: Any) -> int:
        lowest, highest = _LIMITS[descriptor.cpp_type]
        bounds = {rule.name: value for rule, value in rules.ListFields()}
        lowest = max(lowest, bounds.get("gte", lowest), bounds.get("gt", lowest - 1) + 1)
        highest = min(highest, bounds.get("lte", highest), bounds.get("lt", highest + 1) - 1)
        if "in" in bounds:
            return int(self.dice.choice(list(bounds["in"])))
        # Small ones work more often, and one most often: of an order's lines and of a shelf's pieces.
        near = [number for number in (1, 1, 1, 1, -2, 0, 2, 3) if lowest <= number <= highest]
        near = [number for number in near if number not in rules.not_in]
        return self.dice.choice(near) if near else lowest

    def good_message(self, descriptor: FieldDescriptor, rules: validate_pb2.FieldRules) -> Message | None:
        """A value of one of protobuf's own message types; None for a message of ours."""
        match descriptor.message_type.full_name if descriptor.message_type is not None else "":
            case "google.protobuf.Timestamp":
                return Timestamp(seconds=int(time.time()) + 86_400)
            case "google.protobuf.Duration":
                return Duration(seconds=60)
            case "google.protobuf.FieldMask":
                return FieldMask(paths=list(getattr(rules.field_mask, "in"))[:1])
            case name:
                assert not name.startswith("google."), f"tests/attacks/values.py makes no {name}: teach it"
                return None

    def odd_messages(self, descriptor: FieldDescriptor) -> list[Message]:
        """Values of protobuf's own message types that are out of every range."""
        match descriptor.message_type.full_name if descriptor.message_type is not None else "":
            case "google.protobuf.Timestamp":
                return [Timestamp(seconds=seconds, nanos=nanos) for seconds in _INSTANTS for nanos in _NANOS]
            case "google.protobuf.Duration":
                return [Duration(seconds=seconds, nanos=nanos) for seconds in _INSTANTS for nanos in _NANOS]
            case "google.protobuf.FieldMask":
                return [FieldMask(paths=paths) for paths in _MASKS]
            case _:
                return []

    def odd(self, descriptor: FieldDescriptor, rules: validate_pb2.FieldRules) -> list[Any]:
        """Values worth trying that the field can carry, whatever its rules say."""
        match descriptor.cpp_type:
            case FieldDescriptor.CPPTYPE_STRING if descriptor.type == FieldDescriptor.TYPE_BYTES:
                return [b"", b"\0", b"\xff" * 33, bytes(200_000)]
            case FieldDescriptor.CPPTYPE_STRING:
                return [*TEXTS, *self._odd_lengths(descriptor, rules)]
            case FieldDescriptor.CPPTYPE_ENUM:
                return [0, -1, 99, INT32, -INT32 - 1]
            case FieldDescriptor.CPPTYPE_BOOL:
                return [True, False]
            case FieldDescriptor.CPPTYPE_FLOAT | FieldDescriptor.CPPTYPE_DOUBLE:
                return [float("nan"), float("inf"), -0.0, 1e308]
            case _:
                lowest, highest = _LIMITS[descriptor.cpp_type]
                edges = [value for _, value in getattr(rules, rules.WhichOneof("type") or "int32").ListFields()]
                near = [edge + step for edge in edges if isinstance(edge, int) for step in (-1, 0, 1)]
                return sorted({number for number in (*NUMBERS, *near) if lowest <= number <= highest})

    def _odd_lengths(self, descriptor: FieldDescriptor, rules: validate_pb2.FieldRules) -> list[str]:
        good = self.good(descriptor, rules)
        longest = rules.string.max_len or rules.string.len or len(good)
        return [
            f"{good}\n",
            f" {good} ",
            f"{good}\0",
            f"\0{good[1:]}",
            good.upper(),
            good.swapcase(),
            "x" * longest,
            "x" * (longest + 1),
            "\U0001f457" * longest,
            "\0" * longest,
            "x" * 200_000,
        ]
