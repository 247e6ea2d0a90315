"""Whose stock somebody may see."""

from uuid import UUID

import pytest

from kapda.domain.identity.principal import Principal
from kapda.domain.identity.user import Role
from kapda.domain.inventory.owner import owner_of
from kapda.domain.shared.ids import SessionId, UserId

WHO = UserId(UUID(int=1))


@pytest.mark.parametrize("role", [role for role in Role if role is not Role.ADMIN])
def test_everybody_but_an_admin_is_asked_for_their_own_houses(role: Role) -> None:
    assert owner_of(Principal(WHO, role, SessionId(UUID(int=2)))) == WHO


def test_an_admin_sees_every_house() -> None:
    assert owner_of(Principal(WHO, Role.ADMIN, SessionId(UUID(int=2)))) is None
