"""`kapda house` on a real shop: a designer finds the house's stock from the next call on, and then no more."""

import json
from collections.abc import Mapping

import pytest

from kapda.domain.identity.principal import Principal
from kapda.domain.identity.user import Role
from kapda.domain.inventory.use_cases.get_stock import GetStockCommand
from kapda.domain.shared.errors import NotFoundError
from kapda.domain.shared.ids import SessionId, VariantId
from tests.entrypoints.cli.test_api_key_commands import environment_of, kapda
from tests.fakes.catalog_builder import LOOM
from tests.shop.shop import Shop

WHY = ("--house", str(LOOM.id), "--reason", "joined the house")


async def _finds(shop: Shop, who: Principal, variant: VariantId) -> bool:
    try:
        await shop.door().get_stock().execute(GetStockCommand(who, variant))
    except NotFoundError:
        return False
    return True


async def test_a_designer_is_made_a_member_and_none_any_more(shop: Shop) -> None:
    environment: Mapping[str, str] = environment_of(shop.container.settings())
    variant, user = await shop.variant(), await shop.customer()
    (row,) = await shop.sql("SELECT email FROM users WHERE id = :id", id=user)
    leela = Principal(user, Role.DESIGNER, SessionId(user))

    refused = kapda(environment, "house", "add-member", row["email"], *WHY, status=1)
    assert refused.stderr.startswith("USER_STATE_INVALID: ")
    await shop.sql("UPDATE users SET role = 'designer' WHERE id = :id", id=user)
    assert not await _finds(shop, leela, variant)
    added = json.loads(kapda(environment, "house", "add-member", row["email"], *WHY).stdout)
    assert (added["houses"], added["changed"]) == ([str(LOOM.id)], True)
    assert await _finds(shop, leela, variant)
    removed = json.loads(kapda(environment, "house", "remove-member", row["email"], *WHY).stdout)
    assert (removed["houses"], removed["changed"]) == ([], True)
    assert not await _finds(shop, leela, variant)

    written = await shop.sql(
        "SELECT action, actor_kind, reason FROM audit_entries WHERE subject_id = :id ORDER BY id", id=user
    )
    assert [tuple(entry.values()) for entry in written] == [
        ("HOUSE_MEMBER_ADDED", "operator", "joined the house"),
        ("HOUSE_MEMBER_REMOVED", "operator", "joined the house"),
    ]


@pytest.mark.parametrize("email", ["nobody@example.in", "no address"])
def test_an_address_of_nobody_is_told(shop: Shop, email: str) -> None:
    refused = kapda(environment_of(shop.container.settings()), "house", "remove-member", email, *WHY, status=1)
    assert refused.stderr.split(":")[0] in {"USER_NOT_FOUND", "VALIDATION_FAILED"}
