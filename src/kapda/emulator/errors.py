"""Refusals in Razorpay's envelope."""

from http import HTTPStatus
from typing import Final

BAD_REQUEST = "BAD_REQUEST_ERROR"
SERVER_ERROR = "SERVER_ERROR"
NOT_APPLICABLE: Final = "NA"


class ApiError(Exception):
    """An answer other than success; `body()` is what goes over the wire."""

    def __init__(
        self,
        description: str,
        *,
        status: int = HTTPStatus.BAD_REQUEST,
        code: str = BAD_REQUEST,
        field: str | None = None,
        source: str = "business",
        step: str = "payment_initiation",
        reason: str = "input_validation_failed",
        metadata: dict[str, str] | None = None,
    ) -> None:
        super().__init__(description)
        self.status = int(status)
        self._error: dict[str, object] = {
            "code": code,
            "description": description,
            "source": source,
            "step": step,
            "reason": reason,
            "metadata": metadata or {},
        }
        if field is not None:
            self._error["field"] = field

    def body(self) -> dict[str, object]:
        """Returns the error envelope."""
        return {"error": self._error}


def not_applicable(description: str, status: int = HTTPStatus.BAD_REQUEST) -> ApiError:
    """Returns a refusal made before any entity was looked at; Razorpay writes NA into its members."""
    return ApiError(
        description, status=status, source=NOT_APPLICABLE, step=NOT_APPLICABLE, reason=NOT_APPLICABLE, metadata={}
    )


def unknown_id() -> ApiError:
    """Returns the answer to an id that is well formed and not ours: 400, not 404."""
    return ApiError("The id provided does not exist")
