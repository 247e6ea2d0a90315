"""The audit log: who did what to whom and why, written in the transaction that does it and never changed after.

It is about people's power over accounts and keys. What happens to money has books of its own.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum, unique
from typing import Protocol
from uuid import UUID

from kapda.domain.shared.errors import InvalidArgumentError
from kapda.domain.shared.events import Scalar
from kapda.domain.shared.pages import Page, PageRequest

MAX_REASON_LENGTH = 200


@unique
class ActorKind(Enum):
    """USER: somebody signed in. SERVICE: an internal client with an API key. OPERATOR: whoever has the machine's shell."""

    USER = "user"
    SERVICE = "service"
    OPERATOR = "operator"


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acted. An operator has no account, so no id."""

    kind: ActorKind
    id: UUID | None = None

    def __post_init__(self) -> None:
        if (self.id is None) != (self.kind is ActorKind.OPERATOR):
            raise ValueError("every actor but an operator has an id")


OPERATOR = Actor(ActorKind.OPERATOR)


@unique
class AuditAction(Enum):
    """What was done, as a stable name."""

    API_KEY_ISSUED = "API_KEY_ISSUED"
    API_KEY_ROTATED = "API_KEY_ROTATED"
    API_KEY_REVOKED = "API_KEY_REVOKED"
    SIGNING_KEY_ISSUED = "SIGNING_KEY_ISSUED"
    SIGNING_KEY_REVOKED = "SIGNING_KEY_REVOKED"
    ADMIN_CREATED = "ADMIN_CREATED"
    ROLE_SET = "ROLE_SET"
    USER_DISABLED = "USER_DISABLED"
    USER_ENABLED = "USER_ENABLED"
    USER_UNLOCKED = "USER_UNLOCKED"
    # By somebody else than their user.
    SESSIONS_LISTED = "SESSIONS_LISTED"
    SESSIONS_ENDED = "SESSIONS_ENDED"
    HOUSE_MEMBER_ADDED = "HOUSE_MEMBER_ADDED"
    HOUSE_MEMBER_REMOVED = "HOUSE_MEMBER_REMOVED"
    # By nobody's will: whoever used the token a second time had it end.
    REFRESH_TOKEN_REUSED = "REFRESH_TOKEN_REUSED"  # noqa: S105  (a name, no secret)


@dataclass(frozen=True, slots=True)
class Occasion:
    """By whom, in which call and why something is done: what every audited command carries.

    `call_id` is the gRPC request id, or the operator's own name for a run of the command line. Raises
    InvalidArgumentError (VALIDATION_FAILED) on `reason` for a blank or overlong one.
    """

    actor: Actor
    call_id: str
    reason: str

    def __post_init__(self) -> None:
        if not self.reason.strip() or len(self.reason) > MAX_REASON_LENGTH:
            raise InvalidArgumentError.for_field("reason", f"must say why in 1 to {MAX_REASON_LENGTH} characters")


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """One deed. `subject_type` and `subject_id` name what it was done to; `details` are flat and hold no secret.

    `traces` tell from where a user was, or seemed to be, at it. They are personal data, so they are kept beside the log: for
    a time, and no longer than the account.
    """

    id: UUID
    at: datetime
    occasion: Occasion
    action: AuditAction
    subject_type: str
    subject_id: UUID
    details: Mapping[str, Scalar] = field(default_factory=dict)
    traces: Mapping[str, Scalar] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.traces and self.subject_type != "user":
            raise ValueError("traces are of a user, with whose account they go")


@dataclass(frozen=True, slots=True)
class AuditFilter:
    """Which entries: about this subject, by this actor; None for any."""

    subject_id: UUID | None = None
    actor_id: UUID | None = None


class Audit(Protocol):
    """The log, inside a unit of work: an entry is there exactly when its deed is. Nothing changes or deletes one;
    its traces go."""

    async def add(self, entry: AuditEntry) -> None:
        """Write it down."""
        ...

    async def list(self, which: AuditFilter, page: PageRequest) -> Page[AuditEntry]:
        """The entries, the newest first. The cursor is (instant, id)."""
        ...
