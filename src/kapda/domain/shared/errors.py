"""Domain errors: nine kinds a caller can act on, each with a reason that names the cause.

The kinds mirror the canonical status codes of RPC systems (AIP-193); an entrypoint maps a kind to its transport's code
once. Reasons are part of the contract: `proto/kapda/api/common/v1/error_reason.proto` holds the same names, and a test
compares the two.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, unique
from types import MappingProxyType

_NO_METADATA: Mapping[str, str] = MappingProxyType({})


@unique
class Kind(Enum):
    """What the caller can do about it."""

    INVALID_ARGUMENT = "invalid_argument"
    UNAUTHENTICATED = "unauthenticated"
    PERMISSION_DENIED = "permission_denied"
    NOT_FOUND = "not_found"
    ALREADY_EXISTS = "already_exists"
    FAILED_PRECONDITION = "failed_precondition"
    ABORTED = "aborted"
    RESOURCE_EXHAUSTED = "resource_exhausted"
    UNAVAILABLE = "unavailable"


@unique
class Reason(Enum):
    """Why, as a stable name that programs may branch on. Grouped by kind."""

    # Invalid argument.
    VALIDATION_FAILED = "VALIDATION_FAILED"
    REQUEST_ID_REUSED = "REQUEST_ID_REUSED"
    PAGE_TOKEN_INVALID = "PAGE_TOKEN_INVALID"
    PASSWORD_TOO_WEAK = "PASSWORD_TOO_WEAK"
    PAYMENT_SIGNATURE_INVALID = "PAYMENT_SIGNATURE_INVALID"
    DEADLINE_TOO_SHORT = "DEADLINE_TOO_SHORT"
    LINK_INVALID = "LINK_INVALID"
    # Unauthenticated.
    CREDENTIALS_INVALID = "CREDENTIALS_INVALID"
    TOKEN_MISSING = "TOKEN_MISSING"
    TOKEN_INVALID = "TOKEN_INVALID"
    TOKEN_EXPIRED = "TOKEN_EXPIRED"
    SESSION_REVOKED = "SESSION_REVOKED"
    GUEST_CART_UNKNOWN = "GUEST_CART_UNKNOWN"
    REFRESH_TOKEN_INVALID = "REFRESH_TOKEN_INVALID"
    REFRESH_TOKEN_REUSED = "REFRESH_TOKEN_REUSED"
    API_KEY_INVALID = "API_KEY_INVALID"
    API_KEY_EXPIRED = "API_KEY_EXPIRED"
    # Permission denied.
    ROLE_NOT_ALLOWED = "ROLE_NOT_ALLOWED"
    SCOPE_MISSING = "SCOPE_MISSING"
    SIGNATURE_MISSING = "SIGNATURE_MISSING"
    SIGNATURE_INVALID = "SIGNATURE_INVALID"
    SIGNATURE_EXPIRED = "SIGNATURE_EXPIRED"
    NONCE_REUSED = "NONCE_REUSED"
    # Not found.
    PRODUCT_NOT_FOUND = "PRODUCT_NOT_FOUND"
    VARIANT_NOT_FOUND = "VARIANT_NOT_FOUND"
    CART_LINE_NOT_FOUND = "CART_LINE_NOT_FOUND"
    GUEST_CART_NOT_FOUND = "GUEST_CART_NOT_FOUND"
    CHECKOUT_NOT_FOUND = "CHECKOUT_NOT_FOUND"
    ORDER_NOT_FOUND = "ORDER_NOT_FOUND"
    PAYMENT_NOT_FOUND = "PAYMENT_NOT_FOUND"
    CASE_NOT_FOUND = "CASE_NOT_FOUND"
    SESSION_NOT_FOUND = "SESSION_NOT_FOUND"
    ADDRESS_NOT_FOUND = "ADDRESS_NOT_FOUND"
    USER_NOT_FOUND = "USER_NOT_FOUND"
    API_KEY_NOT_FOUND = "API_KEY_NOT_FOUND"
    DESIGNER_NOT_FOUND = "DESIGNER_NOT_FOUND"
    SIGNING_KEY_NOT_FOUND = "SIGNING_KEY_NOT_FOUND"
    # Already exists.
    EMAIL_TAKEN = "EMAIL_TAKEN"
    SIGNING_KEY_EXISTS = "SIGNING_KEY_EXISTS"
    # Failed precondition.
    VARIANT_NOT_ON_SALE = "VARIANT_NOT_ON_SALE"
    INSUFFICIENT_STOCK = "INSUFFICIENT_STOCK"
    QUANTITY_LIMIT_EXCEEDED = "QUANTITY_LIMIT_EXCEEDED"
    CART_LINE_LIMIT_EXCEEDED = "CART_LINE_LIMIT_EXCEEDED"
    CART_EMPTY = "CART_EMPTY"
    CART_CHANGED = "CART_CHANGED"
    PRICE_CHANGED = "PRICE_CHANGED"
    PRICE_WITHOUT_GST_RATE = "PRICE_WITHOUT_GST_RATE"
    CHECKOUT_STATE_INVALID = "CHECKOUT_STATE_INVALID"
    CHECKOUT_REFUSED_BY_GATEWAY = "CHECKOUT_REFUSED_BY_GATEWAY"
    PAYMENT_NOT_CAPTURED = "PAYMENT_NOT_CAPTURED"
    PAYMENT_MISMATCH = "PAYMENT_MISMATCH"
    PAYMENT_UNDER_REVIEW = "PAYMENT_UNDER_REVIEW"
    PAYMENT_REFUNDED = "PAYMENT_REFUNDED"
    ORDER_STATE_INVALID = "ORDER_STATE_INVALID"
    REFUND_EXCEEDS_ORDER = "REFUND_EXCEEDS_ORDER"
    CASE_RESOLUTION_NOT_ALLOWED = "CASE_RESOLUTION_NOT_ALLOWED"
    ADDRESS_LIMIT_EXCEEDED = "ADDRESS_LIMIT_EXCEEDED"
    ACCOUNT_IN_USE = "ACCOUNT_IN_USE"
    OWN_ACCOUNT = "OWN_ACCOUNT"
    USER_STATE_INVALID = "USER_STATE_INVALID"
    API_KEY_STATE_INVALID = "API_KEY_STATE_INVALID"
    USER_CANNOT_SIGN = "USER_CANNOT_SIGN"
    EMAIL_UNCONFIRMED = "EMAIL_UNCONFIRMED"
    # Aborted.
    REQUEST_IN_PROGRESS = "REQUEST_IN_PROGRESS"
    ETAG_MISMATCH = "ETAG_MISMATCH"
    CONCURRENT_UPDATE = "CONCURRENT_UPDATE"
    # Resource exhausted.
    RATE_LIMITED = "RATE_LIMITED"
    LOG_IN_LOCKED = "LOG_IN_LOCKED"
    LOG_IN_LINK_NEEDED = "LOG_IN_LINK_NEEDED"
    # Unavailable.
    GATEWAY_UNAVAILABLE = "GATEWAY_UNAVAILABLE"
    DATABASE_UNAVAILABLE = "DATABASE_UNAVAILABLE"
    OVERLOADED = "OVERLOADED"
    DRAINING = "DRAINING"


@dataclass(frozen=True, slots=True)
class FieldViolation:
    """One field of a request that breaks a rule; `field` is the path as the caller wrote it."""

    field: str
    description: str


@dataclass(frozen=True, slots=True)
class Precondition:
    """One fact of the world that stands in the way: its `type` (a reason), the `subject` it is about, a text for people."""

    type: str
    subject: str
    description: str


class DomainError(Exception):
    """A refusal with a kind, a reason, and the facts behind it.

    `metadata` repeats every variable part of `message` for programs. `retry_after` is in seconds, where waiting helps.
    """

    kind: Kind

    def __init__(
        self,
        reason: Reason,
        message: str,
        *,
        metadata: Mapping[str, str] = _NO_METADATA,
        violations: tuple[FieldViolation, ...] = (),
        preconditions: tuple[Precondition, ...] = (),
        retry_after: float | None = None,
    ) -> None:
        super().__init__(message)
        self.reason = reason
        self.message = message
        self.metadata = metadata
        self.violations = violations
        self.preconditions = preconditions
        self.retry_after = retry_after


class InvalidArgumentError(DomainError):
    """The request itself is wrong, whatever the state of the system."""

    kind = Kind.INVALID_ARGUMENT

    @classmethod
    def for_field(
        cls, field: str, description: str, reason: Reason = Reason.VALIDATION_FAILED
    ) -> "InvalidArgumentError":
        """The common case: one field, one rule."""
        return cls(reason, f"{field}: {description}", violations=(FieldViolation(field, description),))


class UnauthenticatedError(DomainError):
    """Nobody, or nobody any more. The message is short ASCII: an edge may copy it into a header."""

    kind = Kind.UNAUTHENTICATED


class PermissionDeniedError(DomainError):
    """Somebody, but not somebody who may."""

    kind = Kind.PERMISSION_DENIED


class NotFoundError(DomainError):
    """It does not exist, or it is another's: the caller cannot tell which."""

    kind = Kind.NOT_FOUND


class AlreadyExistsError(DomainError):
    """A unique name is taken."""

    kind = Kind.ALREADY_EXISTS


class FailedPreconditionError(DomainError):
    """The request is fine, the state of the world is not; repeating it unchanged will not help."""

    kind = Kind.FAILED_PRECONDITION


class AbortedError(DomainError):
    """Somebody else was at it; read again or wait, then retry."""

    kind = Kind.ABORTED


class ResourceExhaustedError(DomainError):
    """A limit of the caller's is used up. Never used for stock: clients back off and retry on it."""

    kind = Kind.RESOURCE_EXHAUSTED


class UnavailableError(DomainError):
    """A part of the system cannot answer now; the same request may be sent again."""

    kind = Kind.UNAVAILABLE
