"""Who asks about stock."""

from uuid import UUID

import pytest

from kapda.domain.identity.principal import Principal
from kapda.domain.identity.user import Role
from kapda.domain.shared.ids import SessionId, UserId
from tests.fakes.samples import RANGREZ
from tests.fakes.shop import Shop


def principal(number: int, role: Role) -> Principal:
    return Principal(UserId(UUID(int=number)), role, SessionId(UUID(int=number)))


@pytest.fixture
def admin() -> Principal:
    """Sees every house."""
    return principal(1, Role.ADMIN)


@pytest.fixture
def designer(shop: Shop) -> Principal:
    """A member of the house whose variants the shop sells."""
    member = principal(2, Role.DESIGNER)
    shop.tables.members.add((RANGREZ, member.user_id))
    return member


@pytest.fixture
def stranger() -> Principal:
    """A designer of no house here."""
    return principal(3, Role.DESIGNER)
