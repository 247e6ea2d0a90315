"""Who may sign, what is verified, and that a proof is spent with what it is for."""

from dataclasses import replace
from uuid import UUID

import pytest

from kapda.adapters.crypto.signing_secrets import DerivedSigningSecrets
from kapda.domain.identity.signing import Signature, SignedCall
from kapda.domain.identity.use_cases.issue_signing_key import (
    IssuedSigningKey,
    IssueSigningKey,
    IssueSigningKeyCommand,
)
from kapda.domain.identity.use_cases.list_signing_keys import ListSigningKeys, ListSigningKeysCommand
from kapda.domain.identity.use_cases.revoke_signing_key import RevokeSigningKey, RevokeSigningKeyCommand
from kapda.domain.identity.use_cases.verify_signature import VerifySignature, VerifySignatureCommand
from kapda.domain.identity.user import Role, UserStatus
from kapda.domain.shared.audit import OPERATOR, AuditAction, Occasion
from kapda.domain.shared.errors import DomainError, PermissionDeniedError, Reason
from kapda.domain.shared.ids import SigningKeyId, UserId
from kapda.domain.shared.pages import PageRequest
from kapda.domain.shared.request_proof import RequestProof
from tests.fakes.signing_keys import ReadableSigningSecrets
from tests.use_cases.identity.conftest import ASHA, IdentityHouse

WHY = Occasion(OPERATOR, "call-0001", "runs the refunds")
METHOD = "/kapda.api.orders.v1.OrderService/RefundOrder"
NONCE = "a-nonce-of-this-test"


class Desk:
    """Everything about signing, on the house's fakes."""

    def __init__(self, house: IdentityHouse) -> None:
        uow, secrets = house.unit_of_work, ReadableSigningSecrets()
        self.house = house
        self.issue = IssueSigningKey(uow, secrets, house.ids, house.clock)
        self.revoke = RevokeSigningKey(uow, house.ids, house.clock)
        self.list = ListSigningKeys(uow)
        self.verify = VerifySignature(uow, secrets, house.clock)

    async def admin(self, role: Role = Role.ADMIN) -> UserId:
        """Somebody with that role."""
        user = (await self.house.sign_up.execute(ASHA)).user
        self.house.tables.users[user.id].role = role
        return user.id

    async def issued(self, user_id: UserId) -> IssuedSigningKey:
        """A key of theirs, from the machine."""
        return await self.issue.execute(IssueSigningKeyCommand(WHY, None, user_id))

    def signed(self, by: IssuedSigningKey, who: UserId, body: bytes = b"body") -> VerifySignatureCommand:
        """A call that was signed so."""
        timestamp = str(int(self.house.clock.now().timestamp()))
        call = SignedCall(METHOD, body, timestamp, NONCE, who)
        return VerifySignatureCommand(
            call, Signature(str(by.key.id), timestamp, NONCE, by.secret.sign(call.canonical()))
        )


@pytest.fixture
def desk(house: IdentityHouse) -> Desk:
    return Desk(house)


async def test_what_an_admin_signs_is_proved_and_not_spent_yet(desk: Desk) -> None:
    admin = await desk.admin()
    issued = await desk.issued(admin)
    proof = await desk.verify.execute(desk.signed(issued, admin))
    assert (proof.key_id, proof.nonce) == (issued.key.id, NONCE)
    assert desk.house.tables.nonces == set()
    assert issued.secret.text not in repr(desk.house.tables)


async def test_nobody_signs_with_anothers_key(desk: Desk) -> None:
    admin = await desk.admin()
    issued = await desk.issued(admin)
    with pytest.raises(PermissionDeniedError) as refused:
        await desk.verify.execute(desk.signed(issued, UserId(UUID(int=0xBAD))))
    assert refused.value.reason is Reason.SIGNATURE_INVALID


@pytest.mark.parametrize("key_id", ["", "not a key", str(UUID(int=0xBAD))])
async def test_a_key_that_is_none_of_ours_verifies_nothing(desk: Desk, key_id: str) -> None:
    admin = await desk.admin()
    signed = desk.signed(await desk.issued(admin), admin)
    with pytest.raises(PermissionDeniedError) as refused:
        await desk.verify.execute(replace(signed, signature=replace(signed.signature, key_id=key_id)))
    assert refused.value.reason is Reason.SIGNATURE_INVALID


async def test_a_revoked_key_verifies_nothing_and_revoking_again_is_no_deed(desk: Desk) -> None:
    admin = await desk.admin()
    issued = await desk.issued(admin)
    for _ in range(2):
        await desk.revoke.execute(RevokeSigningKeyCommand(WHY, issued.key.id))
    with pytest.raises(PermissionDeniedError) as refused:
        await desk.verify.execute(desk.signed(issued, admin))
    assert refused.value.reason is Reason.SIGNATURE_INVALID
    deeds = [entry.action for entry in desk.house.tables.audit]
    assert deeds == [AuditAction.SIGNING_KEY_ISSUED, AuditAction.SIGNING_KEY_REVOKED]
    assert {entry.subject_id for entry in desk.house.tables.audit} == {issued.key.id}


@pytest.mark.parametrize("role", [Role.CUSTOMER, Role.DESIGNER, Role.BRAND])
async def test_only_admins_and_services_may_sign(desk: Desk, role: Role) -> None:
    user = await desk.admin(role)
    with pytest.raises(DomainError) as refused:
        await desk.issued(user)
    assert refused.value.reason is Reason.USER_CANNOT_SIGN
    assert (desk.house.tables.signing_keys, desk.house.tables.audit) == ({}, [])


async def test_an_account_that_is_shut_gets_no_key(desk: Desk) -> None:
    admin = await desk.admin()
    desk.house.tables.users[admin].status = UserStatus.DISABLED
    with pytest.raises(DomainError) as refused:
        await desk.issued(admin)
    assert refused.value.reason is Reason.USER_CANNOT_SIGN


async def test_whoever_does_not_exist_is_not_found(desk: Desk) -> None:
    with pytest.raises(DomainError) as refused:
        await desk.issued(UserId(UUID(int=0xBAD)))
    assert refused.value.reason is Reason.USER_NOT_FOUND
    with pytest.raises(DomainError) as refused:
        await desk.revoke.execute(RevokeSigningKeyCommand(WHY, SigningKeyId(UUID(int=0xBAD))))
    assert refused.value.reason is Reason.SIGNING_KEY_NOT_FOUND


async def test_a_proof_makes_one_key_and_no_second(desk: Desk) -> None:
    admin = await desk.admin()
    first = await desk.issued(admin)
    proof = RequestProof(first.key.id, NONCE, desk.house.clock.now())
    command = IssueSigningKeyCommand(WHY, proof, admin)
    await desk.issue.execute(command)
    with pytest.raises(PermissionDeniedError) as refused:
        await desk.issue.execute(command)
    assert refused.value.reason is Reason.NONCE_REUSED
    assert len(desk.house.tables.signing_keys) == 2


async def test_a_refused_operation_leaves_its_proof_unspent(desk: Desk) -> None:
    admin = await desk.admin()
    first = await desk.issued(admin)
    proof = RequestProof(first.key.id, NONCE, desk.house.clock.now())
    with pytest.raises(DomainError):
        await desk.issue.execute(IssueSigningKeyCommand(WHY, proof, UserId(UUID(int=0xBAD))))
    await desk.issue.execute(IssueSigningKeyCommand(WHY, proof, admin))


async def test_a_first_key_is_made_once_also_when_it_was_revoked(desk: Desk) -> None:
    admin = await desk.admin()
    command = IssueSigningKeyCommand(WHY, None, admin, only_first=True)
    first = await desk.issue.execute(command)
    await desk.revoke.execute(RevokeSigningKeyCommand(WHY, first.key.id))
    with pytest.raises(DomainError) as refused:
        await desk.issue.execute(command)
    assert refused.value.reason is Reason.SIGNING_KEY_EXISTS
    assert list(desk.house.tables.signing_keys) == [first.key.id]


async def test_a_change_of_the_servers_secret_ends_no_key_while_the_old_one_is_given_beside_it(
    desk: Desk,
) -> None:
    admin, uow = await desk.admin(), desk.house.unit_of_work
    old, new = b"o" * 32, b"n" * 32

    def issue(*secrets: bytes) -> IssueSigningKey:
        return IssueSigningKey(uow, DerivedSigningSecrets(secrets[0], secrets[1:]), desk.house.ids, desk.house.clock)

    async def verifies(key: IssuedSigningKey, *secrets: bytes) -> bool:
        verify = VerifySignature(uow, DerivedSigningSecrets(secrets[0], secrets[1:]), desk.house.clock)
        try:
            await verify.execute(desk.signed(key, admin))
        except PermissionDeniedError:
            return False
        return True

    before = await issue(old).execute(IssueSigningKeyCommand(WHY, None, admin))
    after = await issue(new, old).execute(IssueSigningKeyCommand(WHY, None, admin))
    assert [await verifies(key, new, old) for key in (before, after)] == [True, True]
    assert [await verifies(key, new) for key in (before, after)] == [False, True]


async def test_keys_are_listed_the_newest_first(desk: Desk) -> None:
    admin = await desk.admin()
    keys = [(await desk.issued(admin)).key.id for _ in range(2)]
    page = await desk.list.execute(ListSigningKeysCommand(PageRequest()))
    assert [key.id for key in page.items] == keys[::-1]
