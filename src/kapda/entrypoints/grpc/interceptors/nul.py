"""Finds texts that no database of ours can hold."""

from collections.abc import Iterator

from google.protobuf.message import Message

from kapda.domain.shared.errors import FieldViolation

DESCRIPTION = "must not contain U+0000"


def texts_with_nul(request: bytes, message: Message) -> list[FieldViolation]:
    """A violation for every text with U+0000 in it: UTF-8 may carry it, PostgreSQL's text cannot.

    It is a rule about every text of the contract, so it is kept here and not repeated at each field.
    """
    # In UTF-8 the character is the byte and nothing else is; most requests have no such byte at all.
    return list(_search(message, "")) if b"\0" in request else []


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
            if isinstance(one, Message):
                yield from _search(one, f"{name}.")
            elif isinstance(one, str) and "\0" in one:
                yield FieldViolation(name, DESCRIPTION)
