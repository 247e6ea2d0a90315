"""JSON columns under plain SQL: the driver decodes what comes out; what goes in is text, cast by its statement."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

import msgspec
import orjson

from kapda.domain.shared.address import Address


def to_json(value: Mapping[str, Any] | Sequence[Mapping[str, Any]]) -> str:
    """The text for a bind that is cast to jsonb; UUIDs and instants become their text."""
    return orjson.dumps(value, default=plain_uuid).decode()


def plain_uuid(value: object) -> str:
    """The text of asyncpg's own kind of UUID, which encoders do not know by its base class. Raises TypeError for others."""
    if isinstance(value, UUID):
        return str(value)
    raise TypeError(f"{type(value).__qualname__} has no JSON form")


def address_json(address: Address) -> str:
    """An address as a jsonb object of its fields."""
    return msgspec.json.encode(address).decode()


def to_address(column: object) -> Address:
    """The address that was kept."""
    return msgspec.convert(column, Address)
