"""Identity: users, session tokens and sessions."""

from datetime import datetime

from kapda.api.common.v1 import role_pb2
from kapda.api.identity.v1 import session_pb2, user_pb2
from kapda.domain.identity.refresh import SessionTokens
from kapda.domain.identity.session import Contact, Session
from kapda.domain.identity.user import Role, User
from kapda.domain.shared.ids import SessionId
from kapda.entrypoints.grpc.translate.values import timestamp, timestamp_or_none

ROLES = {role: role_pb2.Role.Value(f"ROLE_{role.name}") for role in Role}
_BY_NUMBER = {number: role for role, number in ROLES.items()}


def role_from_proto(number: role_pb2.Role.ValueType) -> Role:
    """A role that the message's rules have let through."""
    return _BY_NUMBER[number]


def user_to_proto(user: User) -> user_pb2.User:
    """A user, without anything secret."""
    return user_pb2.User(
        id=str(user.id),
        email=user.email.text,
        display_name=user.display_name.text,
        role=ROLES[user.role],
        create_time=timestamp(user.created_at),
        email_confirm_time=timestamp_or_none(user.email_confirmed_at),
    )


def tokens_to_proto(tokens: SessionTokens) -> user_pb2.SessionTokens:
    """What a client keeps of its session."""
    return user_pb2.SessionTokens(
        access_token=tokens.access_token.text,
        access_token_expire_time=timestamp(tokens.access_token.expires_at),
        refresh_token=tokens.refresh_token.secret.text,
        refresh_token_expire_time=timestamp(tokens.refresh_token.expires_at),
    )


def session_to_proto(session: Session, current: SessionId | None) -> session_pb2.Session:
    """A session as its user sees it; `current` is the one that asks, None where somebody else does."""
    refreshed = session.refreshed_at
    return session_pb2.Session(
        id=str(session.id),
        current=session.id == current,
        begun=_contact_to_proto(session.begun_from, session.created_at),
        refreshed=None if refreshed is None else _contact_to_proto(session.refreshed_from, refreshed),
        expire_time=timestamp(session.expires_at),
    )


def _contact_to_proto(contact: Contact, at: datetime) -> session_pb2.SessionContact:
    return session_pb2.SessionContact(
        time=timestamp(at), client_network=contact.network.text, user_agent=contact.user_agent or ""
    )
