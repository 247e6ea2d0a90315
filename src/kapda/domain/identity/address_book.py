"""The address book: places a customer has things sent to.

One entry is the preferred one: the one preferred last, or, where nobody ever chose, the first that was added. So there is
nothing to keep in step when it is removed.
"""

from dataclasses import dataclass
from datetime import datetime

from kapda.domain.shared.address import Address
from kapda.domain.shared.errors import (
    AbortedError,
    FailedPreconditionError,
    InvalidArgumentError,
    NotFoundError,
    Reason,
)
from kapda.domain.shared.etag import etag_of
from kapda.domain.shared.ids import AddressId
from kapda.domain.shared.one_line import is_printable, one_line

# More doors than anybody sends to; it also bounds the list, which has no pages.
MAX_ADDRESSES = 20
MAX_LABEL_LENGTH = 40


@dataclass(frozen=True, slots=True)
class Label:
    """What its owner calls an entry: up to 40 printable characters, which may be none.

    Raises InvalidArgumentError (VALIDATION_FAILED) on `label`.
    """

    text: str

    def __post_init__(self) -> None:
        text = one_line(self.text)
        if len(text) > MAX_LABEL_LENGTH or not is_printable(text):
            raise InvalidArgumentError.for_field("label", f"must be at most {MAX_LABEL_LENGTH} printable characters")
        object.__setattr__(self, "text", text)


@dataclass(frozen=True, slots=True)
class SavedAddress:
    """An entry. `version` grows by one with every change of label or address."""

    id: AddressId
    label: Label
    address: Address
    preferred: bool
    version: int
    created_at: datetime

    @property
    def etag(self) -> str:
        """Changes with every change of label or address."""
        return etag_of(self.version)


def address_not_found(address_id: AddressId) -> NotFoundError:
    """No such entry in the caller's address book."""
    return NotFoundError(Reason.ADDRESS_NOT_FOUND, f"no address {address_id}", metadata={"address_id": str(address_id)})


def address_limit_exceeded() -> FailedPreconditionError:
    """The address book is full."""
    return FailedPreconditionError(
        Reason.ADDRESS_LIMIT_EXCEEDED,
        f"an address book has at most {MAX_ADDRESSES} entries",
        metadata={"limit": str(MAX_ADDRESSES)},
    )


def address_changed(saved: SavedAddress) -> AbortedError:
    """The entry is not as it was when the caller read it."""
    return AbortedError(
        Reason.ETAG_MISMATCH, "the address has changed since it was read", metadata={"etag": saved.etag}
    )
