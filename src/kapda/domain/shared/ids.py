"""Identifiers: UUIDv7 made outside the domain, typed so that one kind cannot be handed over as another."""

from typing import NewType, Protocol
from uuid import UUID

UserId = NewType("UserId", UUID)
SessionId = NewType("SessionId", UUID)
AddressId = NewType("AddressId", UUID)
DesignerId = NewType("DesignerId", UUID)
ProductId = NewType("ProductId", UUID)
VariantId = NewType("VariantId", UUID)
CartId = NewType("CartId", UUID)
HoldId = NewType("HoldId", UUID)
CheckoutId = NewType("CheckoutId", UUID)
PaymentId = NewType("PaymentId", UUID)
RefundId = NewType("RefundId", UUID)
CaseId = NewType("CaseId", UUID)
OrderId = NewType("OrderId", UUID)
RequestId = NewType("RequestId", UUID)
ApiKeyId = NewType("ApiKeyId", UUID)
SigningKeyId = NewType("SigningKeyId", UUID)
MailId = NewType("MailId", UUID)
LinkId = NewType("LinkId", UUID)


class IdGenerator(Protocol):
    """Makes identifiers."""

    def new(self) -> UUID:
        """A UUID never given before; later ones sort after earlier ones of the same process (version 7)."""
        ...
