"""Keys across processes: revoked in one, refused in the other by the next call; uses noted behind the calls."""

from datetime import timedelta

import pytest

from kapda.domain.identity.scope import Scope
from kapda.domain.identity.use_cases.authenticate_api_key import AuthenticateApiKeyCommand
from kapda.domain.identity.use_cases.issue_api_key import IssueApiKeyCommand, IssuedApiKey
from kapda.domain.identity.use_cases.revoke_api_key import RevokeApiKeyCommand
from kapda.domain.identity.use_cases.rotate_api_key import RotateApiKeyCommand
from kapda.domain.inventory.use_cases.get_stock import GetStockCommand
from kapda.domain.shared.audit import OPERATOR, Occasion
from kapda.domain.shared.errors import NotFoundError, Reason, UnauthenticatedError
from kapda.domain.shared.ids import DesignerId
from tests.shop.gate import at_once
from tests.shop.shop import Shop

WHY = Occasion(OPERATOR, "call-0001", "a test")


async def issued(shop: Shop, house: DesignerId | None = None) -> IssuedApiKey:
    command = IssueApiKeyCommand(WHY, None, "warehouse", frozenset({Scope.INVENTORY_READ}), house)
    return await shop.door().issue_api_key().execute(command)


async def test_a_key_revoked_in_one_process_is_refused_in_every_other_by_the_next_call(shop: Shop) -> None:
    key = await issued(shop)
    command = AuthenticateApiKeyCommand(key.text.text)
    for container in shop.containers:
        assert (await container.authenticate_api_key().execute(command)).user_id == key.key.service_id
    await shop.door().revoke_api_key().execute(RevokeApiKeyCommand(WHY, key.key.id))
    for container in shop.containers:
        with pytest.raises(UnauthenticatedError) as refused:
            await container.authenticate_api_key().execute(command)
        assert refused.value.reason is Reason.API_KEY_INVALID


async def test_a_crowd_of_calls_leaves_one_note_of_the_use(shop: Shop) -> None:
    key = await issued(shop)
    command = AuthenticateApiKeyCommand(key.text.text)
    calls = [lambda: shop.door().authenticate_api_key().execute(command)] * 30
    assert len((await at_once(calls)).answers) == 30
    for container in shop.containers:
        await container.key_uses().aclose()
    (row,) = await shop.sql("SELECT last_used_at, now() AS now FROM api_keys WHERE id = :id", id=key.key.id)
    assert timedelta(0) <= row["now"] - row["last_used_at"] < timedelta(minutes=1)
    first = row["last_used_at"]
    await shop.door().authenticate_api_key().execute(command)
    for container in shop.containers:
        await container.key_uses().aclose()
    (row,) = await shop.sql("SELECT last_used_at FROM api_keys WHERE id = :id", id=key.key.id)
    assert row["last_used_at"] == first


async def test_a_key_is_rotated_once_whoever_comes_first(shop: Shop) -> None:
    key = await issued(shop)
    command = RotateApiKeyCommand(WHY, None, key.key.id)
    outcomes = await at_once([lambda: shop.door().rotate_api_key().execute(command)] * 10)
    assert len(outcomes.answers) == 1
    assert outcomes.reasons == {Reason.API_KEY_STATE_INVALID: 9}


async def test_a_key_of_one_house_finds_no_other_houses_stock(shop: Shop) -> None:
    variant = await shop.variant()
    (row,) = await shop.sql(
        """SELECT p.designer_id, (SELECT id FROM designers WHERE id <> p.designer_id LIMIT 1) AS other
           FROM variants v JOIN products p ON p.id = v.product_id WHERE v.id = :id""",
        id=variant,
    )
    for house, finds in ((row["designer_id"], True), (row["other"], False), (None, True)):
        key = await issued(shop, DesignerId(house) if house else None)
        principal = await shop.door().authenticate_api_key().execute(AuthenticateApiKeyCommand(key.text.text))
        if finds:
            await shop.door().get_stock().execute(GetStockCommand(principal, variant))
        else:
            with pytest.raises(NotFoundError):
                await shop.door().get_stock().execute(GetStockCommand(principal, variant))
