"""Users as admins see them, and the audit log."""

from kapda.api.identity.v1 import managed_user_pb2, user_pb2
from kapda.domain.identity.administration import ManagedUser
from kapda.domain.identity.user import UserStatus
from kapda.domain.shared.audit import ActorKind, AuditEntry
from kapda.entrypoints.grpc.translate.identity import ROLES
from kapda.entrypoints.grpc.translate.values import timestamp, timestamp_or_none

_STATES = {status: managed_user_pb2.ManagedUser.State.Value(f"STATE_{status.name}") for status in UserStatus}
_ACTORS = {kind: managed_user_pb2.AuditEntry.ActorKind.Value(f"ACTOR_KIND_{kind.name}") for kind in ActorKind}


def managed_user_to_proto(user: ManagedUser) -> managed_user_pb2.ManagedUser:
    """A user, without anything secret."""
    return managed_user_pb2.ManagedUser(
        user=user_pb2.User(
            id=str(user.id),
            email=user.email.text,
            display_name=user.display_name.text,
            role=ROLES[user.role],
            create_time=timestamp(user.created_at),
            email_confirm_time=timestamp_or_none(user.email_confirmed_at),
        ),
        state=_STATES[user.status],
        update_time=timestamp(user.updated_at),
    )


def audit_entry_to_proto(entry: AuditEntry) -> managed_user_pb2.AuditEntry:
    """An entry; whatever its details and traces are, they are texts here."""
    actor = entry.occasion.actor
    return managed_user_pb2.AuditEntry(
        id=str(entry.id),
        time=timestamp(entry.at),
        actor_kind=_ACTORS[actor.kind],
        actor_id=str(actor.id or ""),
        action=entry.action.value,
        subject_type=entry.subject_type,
        subject_id=str(entry.subject_id),
        reason=entry.occasion.reason,
        request_id=entry.occasion.call_id,
        details={
            name: "" if value is None else str(value) for name, value in {**entry.details, **entry.traces}.items()
        },
    )
