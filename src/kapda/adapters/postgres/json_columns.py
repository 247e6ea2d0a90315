"""JSON in and out of plain SQL: text() has no column types, so both ways are spelt out."""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
import orjson

from kapda.domain.shared.address import Address


def to_json(value: Mapping[str, Any] | Sequence[Mapping[str, Any]]) -> str:
    """The text for a bind that is cast to jsonb; UUIDs become their text."""
    return orjson.dumps(value).decode()


def to_strings(text: str) -> dict[str, str]:
    """A jsonb object of strings, as it comes back."""
    decoded: dict[str, str] = orjson.loads(text)
    return decoded


def address_json(address: Address) -> str:
    """An address as a jsonb object of its fields."""
    return msgspec.json.encode(address).decode()


def to_address(text: str) -> Address:
    """The address that was kept."""
    return msgspec.json.decode(text, type=Address)
