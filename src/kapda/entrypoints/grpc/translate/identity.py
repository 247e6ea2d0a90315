"""Identity: users and session tokens."""

from kapda.api.common.v1 import role_pb2
from kapda.api.identity.v1 import user_pb2
from kapda.domain.identity.session import AccessToken
from kapda.domain.identity.user import Role, User
from kapda.entrypoints.grpc.translate.values import timestamp

_ROLES = {role: role_pb2.Role.Value(f"ROLE_{role.name}") for role in Role}


def user_to_proto(user: User) -> user_pb2.User:
    """A user, without anything secret."""
    return user_pb2.User(
        id=str(user.id),
        email=user.email.text,
        display_name=user.display_name.text,
        role=_ROLES[user.role],
        create_time=timestamp(user.created_at),
    )


def tokens_to_proto(token: AccessToken) -> user_pb2.SessionTokens:
    """What a client keeps of its session."""
    return user_pb2.SessionTokens(access_token=token.text, access_token_expire_time=timestamp(token.expires_at))
