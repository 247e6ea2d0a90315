"""API keys: issued once, rotated without a gap, revoked at once, and noted in the audit log."""

from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest

from kapda.domain.identity.api_key import USE_NOTED_EVERY
from kapda.domain.identity.scope import Scope
from kapda.domain.identity.use_cases.authenticate_api_key import AuthenticateApiKey, AuthenticateApiKeyCommand
from kapda.domain.identity.use_cases.issue_api_key import IssueApiKey, IssueApiKeyCommand, IssuedApiKey
from kapda.domain.identity.use_cases.list_api_keys import ListApiKeys, ListApiKeysCommand
from kapda.domain.identity.use_cases.log_in import LogInCommand
from kapda.domain.identity.use_cases.revoke_api_key import RevokeApiKey, RevokeApiKeyCommand
from kapda.domain.identity.use_cases.rotate_api_key import RotateApiKey, RotateApiKeyCommand
from kapda.domain.identity.user import Role
from kapda.domain.shared.audit import Actor, ActorKind, AuditAction, Occasion
from kapda.domain.shared.errors import DomainError, InvalidArgumentError, Reason, UnauthenticatedError
from kapda.domain.shared.ids import ApiKeyId, DesignerId
from kapda.domain.shared.pages import PageRequest
from tests.fakes.api_keys import CountingKeyTexts, RememberedKeyUses
from tests.use_cases.identity.conftest import IdentityHouse

ADMIN = Actor(ActorKind.USER, UUID(int=0xAD))
BY_ADMIN = Occasion(ADMIN, "call-0001", "the warehouse counts by machine")
RANGREZ = DesignerId(UUID(int=0xDE))
ISSUE = IssueApiKeyCommand(BY_ADMIN, None, "warehouse", frozenset({Scope.INVENTORY_READ}))
DAY = timedelta(days=1)


class Desk:
    """Everything about keys, on the house's fakes."""

    def __init__(self, house: IdentityHouse) -> None:
        uow, texts = house.unit_of_work, CountingKeyTexts()
        self.house = house
        self.uses = RememberedKeyUses()
        self.issue = IssueApiKey(uow, texts, house.ids, house.clock)
        self.rotate = RotateApiKey(uow, texts, house.ids, house.clock)
        self.revoke = RevokeApiKey(uow, house.ids, house.clock)
        self.list = ListApiKeys(uow)
        self.authenticate = AuthenticateApiKey(uow, self.uses, house.clock)

    async def enters(self, issued: IssuedApiKey) -> bool:
        """Whether a call with the key is let in."""
        try:
            await self.authenticate.execute(AuthenticateApiKeyCommand(issued.text.text))
        except UnauthenticatedError:
            return False
        return True

    @property
    def deeds(self) -> list[AuditAction]:
        """What the audit log tells, in order."""
        return [entry.action for entry in self.house.tables.audit]


@pytest.fixture
def desk(house: IdentityHouse) -> Desk:
    house.tables.designers.add(RANGREZ)
    return Desk(house)


async def test_a_service_calls_with_the_key_that_was_told_once(desk: Desk) -> None:
    issued = await desk.issue.execute(ISSUE)
    principal = await desk.authenticate.execute(AuthenticateApiKeyCommand(issued.text.text))
    assert (principal.user_id, principal.role) == (issued.key.service_id, Role.SERVICE)
    assert principal.grant == issued.key.grant()
    assert principal.owner is None
    kept = repr(desk.house.tables)
    assert issued.text.secret not in kept
    assert issued.text.prefix in kept


async def test_a_key_of_one_house_sees_that_house(desk: Desk) -> None:
    issued = await desk.issue.execute(replace(ISSUE, designer_id=RANGREZ))
    principal = await desk.authenticate.execute(AuthenticateApiKeyCommand(issued.text.text))
    assert principal.owner == issued.key.service_id
    assert desk.house.tables.members == {(RANGREZ, issued.key.service_id)}


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"scopes": frozenset()}, Reason.VALIDATION_FAILED),
        ({"name": "  "}, Reason.VALIDATION_FAILED),
        ({"scopes": frozenset({Scope.REFUND}), "designer_id": RANGREZ}, Reason.VALIDATION_FAILED),
        ({"designer_id": DesignerId(UUID(int=0xBAD))}, Reason.DESIGNER_NOT_FOUND),
    ],
)
async def test_what_cannot_be_a_key_leaves_nothing(desk: Desk, change: dict[str, object], reason: Reason) -> None:
    with pytest.raises(DomainError) as refused:
        await desk.issue.execute(replace(ISSUE, **change))  # type: ignore[arg-type]
    assert refused.value.reason is reason
    assert (desk.house.tables.users, desk.house.tables.api_keys, desk.deeds) == ({}, {}, [])


async def test_a_key_cannot_have_expired_before_it_is_made(desk: Desk) -> None:
    with pytest.raises(InvalidArgumentError):
        await desk.issue.execute(replace(ISSUE, expires_at=desk.house.clock.now() - DAY))


async def test_a_service_cannot_log_in(desk: Desk) -> None:
    issued = await desk.issue.execute(ISSUE)
    service = desk.house.tables.users[issued.key.service_id]
    for password in ("!", "", issued.text.text):
        with pytest.raises(UnauthenticatedError):
            await desk.house.log_in.execute(LogInCommand(service.email.text, password))


@pytest.mark.parametrize("text", ["", "kapda_", "kapda_aaaaaa22_short", "Bearer x", "kapda_zzzzzzzz_" + "s" * 43])
async def test_what_is_no_key_is_refused(desk: Desk, text: str) -> None:
    await desk.issue.execute(ISSUE)
    with pytest.raises(UnauthenticatedError) as refused:
        await desk.authenticate.execute(AuthenticateApiKeyCommand(text))
    assert refused.value.reason is Reason.API_KEY_INVALID


async def test_the_right_prefix_with_another_secret_is_refused(desk: Desk) -> None:
    issued = await desk.issue.execute(ISSUE)
    forged = replace(issued.text, secret="s" * 43)
    with pytest.raises(UnauthenticatedError) as refused:
        await desk.authenticate.execute(AuthenticateApiKeyCommand(forged.text))
    assert refused.value.reason is Reason.API_KEY_INVALID


async def test_a_key_works_until_the_instant_it_expires(desk: Desk) -> None:
    issued = await desk.issue.execute(replace(ISSUE, expires_at=desk.house.clock.now() + DAY))
    desk.house.clock.advance(DAY - timedelta(microseconds=1))
    assert await desk.enters(issued)
    desk.house.clock.advance(timedelta(microseconds=1))
    with pytest.raises(UnauthenticatedError) as refused:
        await desk.authenticate.execute(AuthenticateApiKeyCommand(issued.text.text))
    assert refused.value.reason is Reason.API_KEY_EXPIRED


async def test_a_revoked_key_is_refused_at_once_and_revoking_again_is_no_deed(desk: Desk) -> None:
    issued = await desk.issue.execute(ISSUE)
    first = await desk.revoke.execute(RevokeApiKeyCommand(BY_ADMIN, issued.key.id))
    assert not await desk.enters(issued)
    desk.house.clock.advance(DAY)
    assert await desk.revoke.execute(RevokeApiKeyCommand(BY_ADMIN, issued.key.id)) == first
    assert desk.deeds == [AuditAction.API_KEY_ISSUED, AuditAction.API_KEY_REVOKED]


async def test_both_keys_work_for_the_overlap_and_the_service_stays_who_it_is(desk: Desk) -> None:
    old = await desk.issue.execute(replace(ISSUE, designer_id=RANGREZ))
    new = await desk.rotate.execute(RotateApiKeyCommand(BY_ADMIN, None, old.key.id))
    assert (new.key.service_id, new.key.scopes, new.key.designer_id) == (
        old.key.service_id,
        old.key.scopes,
        RANGREZ,
    )
    desk.house.clock.advance(DAY - timedelta(seconds=1))
    assert await desk.enters(old)
    assert await desk.enters(new)
    desk.house.clock.advance(timedelta(seconds=1))
    assert not await desk.enters(old)
    assert await desk.enters(new)
    assert desk.house.tables.api_keys[old.key.id].replaced_by == new.key.id


async def test_without_an_overlap_the_old_key_ends_at_once(desk: Desk) -> None:
    old = await desk.issue.execute(ISSUE)
    await desk.rotate.execute(RotateApiKeyCommand(BY_ADMIN, None, old.key.id, timedelta(0)))
    assert not await desk.enters(old)


async def test_rotating_lengthens_no_life_and_gives_the_next_key_the_same_again(desk: Desk) -> None:
    end = desk.house.clock.now() + DAY
    old = await desk.issue.execute(replace(ISSUE, expires_at=end))
    desk.house.clock.advance(DAY / 2)
    new = await desk.rotate.execute(RotateApiKeyCommand(BY_ADMIN, None, old.key.id, timedelta(hours=168)))
    assert desk.house.tables.api_keys[old.key.id].expires_at == end
    assert new.key.expires_at == desk.house.clock.now() + DAY


@pytest.mark.parametrize("over", ["revoked", "expired", "replaced"])
async def test_a_key_that_is_over_or_replaced_has_no_other_next_one(desk: Desk, over: str) -> None:
    issued = await desk.issue.execute(replace(ISSUE, expires_at=desk.house.clock.now() + DAY))
    if over == "revoked":
        await desk.revoke.execute(RevokeApiKeyCommand(BY_ADMIN, issued.key.id))
    elif over == "expired":
        desk.house.clock.advance(DAY)
    else:
        await desk.rotate.execute(RotateApiKeyCommand(BY_ADMIN, None, issued.key.id))
    keys = len(desk.house.tables.api_keys)
    with pytest.raises(DomainError) as refused:
        await desk.rotate.execute(RotateApiKeyCommand(BY_ADMIN, None, issued.key.id))
    assert refused.value.reason is Reason.API_KEY_STATE_INVALID
    assert len(desk.house.tables.api_keys) == keys


@pytest.mark.parametrize("overlap", [timedelta(seconds=-1), timedelta(hours=168, seconds=1)])
async def test_an_overlap_is_a_week_at_most(desk: Desk, overlap: timedelta) -> None:
    issued = await desk.issue.execute(ISSUE)
    with pytest.raises(InvalidArgumentError, match="overlap_hours"):
        await desk.rotate.execute(RotateApiKeyCommand(BY_ADMIN, None, issued.key.id, overlap))


async def test_a_key_that_does_not_exist_is_not_found(desk: Desk) -> None:
    nobody = ApiKeyId(UUID(int=0xBAD))
    for call in (
        desk.rotate.execute(RotateApiKeyCommand(BY_ADMIN, None, nobody)),
        desk.revoke.execute(RevokeApiKeyCommand(BY_ADMIN, nobody)),
    ):
        with pytest.raises(DomainError) as refused:
            await call
        assert refused.value.reason is Reason.API_KEY_NOT_FOUND


async def test_a_use_is_noted_once_a_minute(desk: Desk) -> None:
    issued = await desk.issue.execute(ISSUE)
    await desk.enters(issued)
    row = desk.house.tables.api_keys[issued.key.id]
    row.last_used_at = desk.house.clock.now()
    desk.house.clock.advance(USE_NOTED_EVERY - timedelta(microseconds=1))
    await desk.enters(issued)
    assert len(desk.uses.noted) == 1
    desk.house.clock.advance(timedelta(microseconds=1))
    await desk.enters(issued)
    assert desk.uses.noted[1:] == [(issued.key.id, desk.house.clock.now())]


async def test_every_deed_says_who_did_it_in_which_call_and_why_and_no_secret(desk: Desk) -> None:
    issued = await desk.issue.execute(ISSUE)
    rotated = await desk.rotate.execute(RotateApiKeyCommand(BY_ADMIN, None, issued.key.id))
    assert desk.deeds == [AuditAction.API_KEY_ISSUED, AuditAction.API_KEY_ROTATED]
    for entry in desk.house.tables.audit:
        assert (entry.occasion, entry.subject_type, entry.subject_id) == (BY_ADMIN, "api_key", issued.key.id)
        assert issued.text.secret not in repr(entry)
        assert rotated.text.secret not in repr(entry)


async def test_keys_are_listed_the_newest_first_also_those_that_are_over(desk: Desk) -> None:
    old = await desk.issue.execute(ISSUE)
    new = await desk.rotate.execute(RotateApiKeyCommand(BY_ADMIN, None, old.key.id, timedelta(0)))
    page = await desk.list.execute(ListApiKeysCommand(PageRequest(1)))
    assert [key.id for key in page.items] == [new.key.id]
    rest = await desk.list.execute(ListApiKeysCommand(PageRequest(1, page.next_cursor)))
    assert ([key.id for key in rest.items], rest.next_cursor) == ([old.key.id], None)
