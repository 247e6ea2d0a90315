"""A signature has one effect: nonces in PostgreSQL, in the transaction of what was signed. Redis has no part in it."""

import asyncio
from functools import partial

import pytest
import redis

from kapda.domain.identity.use_cases.revoke_signing_key import RevokeSigningKeyCommand
from kapda.domain.shared.audit import OPERATOR, Occasion
from kapda.domain.shared.errors import DomainError, PermissionDeniedError, Reason
from kapda.domain.shared.ids import OrderId, SigningKeyId
from tests.shop.buyer import deliver, new_buyer
from tests.shop.desk import a_proof, cancel, refund
from tests.shop.gate import at_once
from tests.shop.shop import Shop, new_request


async def bought(shop: Shop) -> OrderId:
    """An order of three pieces, paid."""
    buyer = await new_buyer(shop)
    await buyer.add(await shop.variant(), 3)
    checkout = await buyer.check_out()
    await deliver(shop, await buyer.pay(checkout))
    (row,) = await shop.sql("SELECT id FROM orders WHERE checkout_id = :id", id=checkout.id)
    return OrderId(row["id"])


async def sent_back(shop: Shop, order: OrderId) -> int:
    """How many refunds the order has."""
    return await shop.count("refunds r JOIN orders o ON o.payment_id = r.payment_id WHERE o.id = :id", id=order)


async def test_the_same_bytes_sent_ten_times_at_once_refund_once(shop: Shop) -> None:
    admin, order = await shop.admin(), await bought(shop)
    proof, request_id = a_proof(admin), new_request()
    calls = [lambda: refund(shop, admin, order, (1, 1), request_id=request_id, proof=proof)] * 10
    outcomes = await at_once(calls)
    assert len(outcomes.answers) == 1
    assert outcomes.reasons == {Reason.NONCE_REUSED: 9}
    assert await sent_back(shop, order) == 1


async def test_one_signature_is_no_two_refunds_whatever_the_request_ids(shop: Shop) -> None:
    admin, order = await shop.admin(), await bought(shop)
    proof = a_proof(admin)
    calls = [lambda: refund(shop, admin, order, (1, 1), proof=proof)] * 5
    outcomes = await at_once(calls)
    assert (len(outcomes.answers), outcomes.reasons) == (1, {Reason.NONCE_REUSED: 4})
    assert await sent_back(shop, order) == 1


async def test_one_signature_calls_off_one_order_and_none_does_without_the_key(shop: Shop) -> None:
    admin = await shop.admin()
    orders = [await bought(shop) for _ in range(3)]
    proof = a_proof(admin)
    outcomes = await at_once([partial(cancel, shop, admin, order, proof=proof) for order in orders])
    assert (len(outcomes.answers), outcomes.reasons) == (1, {Reason.NONCE_REUSED: 2})
    assert sum([await sent_back(shop, order) for order in orders]) == 1
    command = RevokeSigningKeyCommand(Occasion(OPERATOR, "call-0001", "lost"), SigningKeyId(admin.user_id))
    await shop.door().revoke_signing_key().execute(command)
    outcomes = await at_once([partial(cancel, shop, admin, order) for order in orders])
    assert (len(outcomes.answers), outcomes.reasons) == (0, {Reason.SIGNATURE_INVALID: 3})


async def test_a_replay_is_refused_with_redis_flushed(shop: Shop) -> None:
    admin, order = await shop.admin(), await bought(shop)
    proof = a_proof(admin)
    await refund(shop, admin, order, (1, 1), proof=proof)
    with redis.Redis.from_url(shop.container.settings().redis_url.get_secret_value()) as client:
        client.flushall()
    with pytest.raises(PermissionDeniedError) as refused:
        await refund(shop, admin, order, (1, 1), proof=proof)
    assert refused.value.reason is Reason.NONCE_REUSED
    assert await sent_back(shop, order) == 1


async def test_a_retry_signed_anew_is_answered_as_before_and_spends_its_own_nonce(shop: Shop) -> None:
    admin, order = await shop.admin(), await bought(shop)
    request_id, again = new_request(), a_proof(admin)
    first = await refund(shop, admin, order, (1, 1), request_id=request_id)
    second = await refund(shop, admin, order, (1, 1), request_id=request_id, proof=again)
    assert (second.value, second.replayed) == (first.value, True)
    with pytest.raises(PermissionDeniedError) as refused:
        await refund(shop, admin, order, (1, 1), request_id=request_id, proof=again)
    assert refused.value.reason is Reason.NONCE_REUSED


async def test_a_refused_operation_leaves_the_nonce_for_another_try(shop: Shop) -> None:
    admin, order = await shop.admin(), await bought(shop)
    proof, request_id = a_proof(admin), new_request()
    with pytest.raises(DomainError) as refused:
        await refund(shop, admin, order, (1, 9), request_id=request_id, proof=proof)
    assert refused.value.reason is Reason.REFUND_EXCEEDS_ORDER
    await refund(shop, admin, order, (1, 3), request_id=request_id, proof=proof)
    assert await sent_back(shop, order) == 1


async def test_once_a_key_is_revoked_nothing_it_signed_takes_effect(shop: Shop) -> None:
    admin, order = await shop.admin(), await bought(shop)
    command = RevokeSigningKeyCommand(Occasion(OPERATOR, "call-0001", "lost"), SigningKeyId(admin.user_id))
    await shop.door().revoke_signing_key().execute(command)
    with pytest.raises(PermissionDeniedError) as refused:
        await refund(shop, admin, order, (1, 1))
    assert refused.value.reason is Reason.SIGNATURE_INVALID


async def test_revoking_waits_for_what_the_key_has_under_way(shop: Shop) -> None:
    admin = await shop.admin()
    command = RevokeSigningKeyCommand(Occasion(OPERATOR, "call-0001", "lost"), SigningKeyId(admin.user_id))
    async with shop.door().unit_of_work() as uow:
        await uow.nonces.spend(a_proof(admin))
        revoking = asyncio.create_task(shop.door().revoke_signing_key().execute(command))
        done, _ = await asyncio.wait((revoking,), timeout=0.3)
        assert not done
        await uow.commit()
    assert (await revoking).revoked_at is not None
