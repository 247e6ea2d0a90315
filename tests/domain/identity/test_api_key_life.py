"""How long a key's successors are good, however far its end lies."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

from kapda.domain.identity.api_key import LAST_EXPIRY, MAX_OVERLAP, ApiKey, ApiKeyText
from kapda.domain.identity.scope import Scope
from kapda.domain.shared.ids import ApiKeyId, UserId

NOW = datetime(2026, 1, 2, tzinfo=UTC)
TEXT = ApiKeyText("abcd1234", "0" * 43)


def key(expires_at: datetime | None) -> ApiKey:
    """A key made now."""
    service = UserId(UUID(int=1))
    scopes = frozenset({Scope.INVENTORY_READ})
    return ApiKey(ApiKeyId(UUID(int=2)), service, "robot", "old", b"", scopes, None, NOW, expires_at)


def test_a_successor_is_good_for_as_long_again() -> None:
    later = NOW + timedelta(days=80)
    successor = key(NOW + timedelta(days=90)).successor(ApiKeyId(UUID(int=3)), TEXT, later)
    assert successor.expires_at == later + timedelta(days=90)
    assert key(None).successor(ApiKeyId(UUID(int=3)), TEXT, later).expires_at is None


def test_a_key_that_ends_at_the_end_of_the_calendar_is_replaced_for_ever_and_never_by_a_later_one() -> None:
    current, at = key(LAST_EXPIRY), NOW
    for number in range(200):
        successor = current.successor(ApiKeyId(UUID(int=number + 3)), TEXT, at)
        current.give_way(successor, MAX_OVERLAP, at)
        assert successor.expires_at == LAST_EXPIRY
        current, at = successor, at + timedelta(days=300)
