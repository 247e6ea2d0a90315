"""Whose cart, and what opens a guest's."""

from uuid import UUID

import pytest

from kapda.adapters.crypto.guest_tokens import RandomGuestTokens
from kapda.domain.cart.guest import GuestToken
from kapda.domain.cart.owner import CartOwner
from kapda.domain.shared.ids import CartId
from tests.fakes.samples import ASHA

GUEST_CART = CartId(UUID(int=0x6E))


def test_an_owner_is_a_customer_or_a_guest_and_scopes_request_ids_by_its_own_id() -> None:
    customer, guest = CartOwner.of_customer(ASHA), CartOwner.of_guest(GUEST_CART)
    assert (customer.id, guest.id) == (ASHA, GUEST_CART)
    assert customer != guest


@pytest.mark.parametrize("both", [(None, None), (ASHA, GUEST_CART)])
def test_an_owner_is_never_neither_nor_both(both: tuple[None, None]) -> None:
    with pytest.raises(ValueError, match="a customer or to a guest"):
        CartOwner(*both)


def test_a_tokens_text_shows_in_no_representation() -> None:
    token = GuestToken("a-guests-secret")
    assert "a-guests-secret" not in f"{token!r} {token}"
    assert token.digest == GuestToken("a-guests-secret").digest != GuestToken("another").digest
    assert len(token.digest) == 32


def test_tokens_are_256_random_bits() -> None:
    tokens = {RandomGuestTokens().new().secret for _ in range(1_000)}
    assert len(tokens) == 1_000
    assert {len(token) for token in tokens} == {43}
    assert all(token.replace("-", "").replace("_", "").isalnum() for token in tokens)
