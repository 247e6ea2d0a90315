"""Signing keys, nonces and secrets as their ports promise: fakes and the real ones."""

from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest

from kapda.adapters.crypto.signing_secrets import DerivedSigningSecrets
from kapda.domain.identity.signing import SigningKey, SigningSecrets
from kapda.domain.identity.user import DisplayName, User
from kapda.domain.shared.errors import PermissionDeniedError, Reason
from kapda.domain.shared.ids import SigningKeyId, UserId
from kapda.domain.shared.pages import PageRequest
from kapda.domain.shared.request_proof import RequestProof
from tests.contracts.identity.conftest import IdentityStore
from tests.fakes.identity import SettableClock
from tests.fakes.signing_keys import ReadableSigningSecrets

NOW = SettableClock().now() + timedelta(microseconds=123_456)
SERVICE = User.service(UserId(UUID(int=1)), DisplayName("refunds"), NOW)
KEY = SigningKey(SigningKeyId(UUID(int=10)), SERVICE.id, NOW)
NEXT = replace(KEY, id=SigningKeyId(UUID(int=11)))
PROOF = RequestProof(KEY.id, "a-nonce-of-this-test", NOW)


async def kept(store: IdentityStore) -> None:
    async with store.unit_of_work() as uow:
        await uow.users.add(SERVICE)
        for key in (KEY, NEXT):
            await uow.signing_keys.add(key)
        await uow.commit()


async def spent(store: IdentityStore, proof: RequestProof, *, commit: bool = True) -> Reason | None:
    """Why the proof could not be spent, or None."""
    async with store.unit_of_work() as uow:
        try:
            await uow.nonces.spend(proof)
        except PermissionDeniedError as refusal:
            return refusal.reason
        if commit:
            await uow.commit()
    return None


async def test_a_key_and_its_end_are_read_as_they_were_kept(store: IdentityStore) -> None:
    await kept(store)
    async with store.unit_of_work() as uow:
        assert await uow.signing_keys.find(KEY.id) == KEY
        key = await uow.signing_keys.lock(KEY.id)
        assert key is not None
        key.revoke(NOW)
        await uow.signing_keys.save(key)
        await uow.commit()
    async with store.unit_of_work() as uow:
        assert await uow.signing_keys.find(KEY.id) == replace(KEY, revoked_at=NOW)
        assert await uow.signing_keys.find(SigningKeyId(UUID(int=0xBAD))) is None


async def test_all_keys_of_a_user_end_at_once_and_those_that_were_over_stay_as_they_ended(store: IdentityStore) -> None:
    await kept(store)
    earlier, later = NOW + timedelta(minutes=1), NOW + timedelta(minutes=2)
    other = User.service(UserId(UUID(int=2)), DisplayName("warehouse"), NOW)
    others = SigningKey(SigningKeyId(UUID(int=12)), other.id, NOW)
    async with store.unit_of_work() as uow:
        await uow.users.add(other)
        await uow.signing_keys.add(others)
        await uow.signing_keys.save(replace(KEY, revoked_at=earlier))
        assert await uow.signing_keys.revoke_all(SERVICE.id, later) == 1
        assert await uow.signing_keys.revoke_all(SERVICE.id, later) == 0
        await uow.commit()
    async with store.unit_of_work() as uow:
        assert await uow.signing_keys.find(KEY.id) == replace(KEY, revoked_at=earlier)
        assert await uow.signing_keys.find(NEXT.id) == replace(NEXT, revoked_at=later)
        assert await uow.signing_keys.find(others.id) == others


async def test_somebody_has_a_key_also_after_its_end(store: IdentityStore) -> None:
    await kept(store)
    async with store.unit_of_work() as uow:
        await uow.signing_keys.save(replace(KEY, revoked_at=NOW))
        assert await uow.signing_keys.has_any(SERVICE.id)
        assert not await uow.signing_keys.has_any(UserId(UUID(int=0xBAD)))


async def test_pages_go_from_the_newest_to_the_oldest(store: IdentityStore) -> None:
    await kept(store)
    async with store.unit_of_work() as uow:
        first = await uow.signing_keys.list(PageRequest(1))
        second = await uow.signing_keys.list(PageRequest(1, first.next_cursor))
    assert (first.items, second.items, second.next_cursor) == ((NEXT,), (KEY,), None)


async def test_a_nonce_is_spent_once_by_its_key(store: IdentityStore) -> None:
    await kept(store)
    assert await spent(store, PROOF) is None
    assert await spent(store, PROOF) is Reason.NONCE_REUSED
    assert await spent(store, replace(PROOF, signed_at=NOW + timedelta(seconds=1))) is Reason.NONCE_REUSED
    assert await spent(store, replace(PROOF, key_id=NEXT.id)) is None
    assert await spent(store, replace(PROOF, nonce="another-nonce-of-ours")) is None


async def test_what_was_rolled_back_was_not_spent(store: IdentityStore) -> None:
    await kept(store)
    assert await spent(store, PROOF, commit=False) is None
    assert await spent(store, PROOF) is None


async def test_a_key_that_is_over_or_unknown_spends_nothing(store: IdentityStore) -> None:
    await kept(store)
    async with store.unit_of_work() as uow:
        await uow.signing_keys.save(replace(KEY, revoked_at=NOW))
        await uow.commit()
    assert await spent(store, PROOF) is Reason.SIGNATURE_INVALID
    assert await spent(store, replace(PROOF, key_id=SigningKeyId(UUID(int=0xBAD)))) is Reason.SIGNATURE_INVALID


@pytest.mark.parametrize("secrets", [ReadableSigningSecrets(), DerivedSigningSecrets(b"s" * 32)])
def test_a_keys_secret_is_its_own_and_always_the_same(secrets: SigningSecrets) -> None:
    made = {secrets.secret_of(SigningKeyId(UUID(int=number))).text for number in range(20)}
    assert len(made) == 20
    assert secrets.secret_of(KEY.id) == secrets.secret_of(KEY.id)
    assert secrets.secret_of(KEY.id).text not in repr(secrets.secret_of(KEY.id))


@pytest.mark.parametrize("secrets", [ReadableSigningSecrets(), DerivedSigningSecrets(b"s" * 32)])
def test_a_key_signs_with_its_secret(secrets: SigningSecrets) -> None:
    assert list(secrets.accepted(KEY.id)) == [secrets.secret_of(KEY.id)]


def test_while_a_server_secret_is_replaced_keys_of_before_go_on_and_new_ones_are_made_from_the_new_one() -> None:
    before, after = DerivedSigningSecrets(b"s" * 32), DerivedSigningSecrets(b"t" * 32)
    overlapping = DerivedSigningSecrets(b"t" * 32, [b"s" * 32])
    assert overlapping.secret_of(KEY.id) == after.secret_of(KEY.id)
    assert list(overlapping.accepted(KEY.id)) == [after.secret_of(KEY.id), before.secret_of(KEY.id)]


def test_another_server_secret_makes_other_secrets_of_43_characters() -> None:
    one, other = (DerivedSigningSecrets(secret).secret_of(KEY.id).text for secret in (b"s" * 32, b"t" * 32))
    assert one != other
    assert len(one) == len(other) == 43
