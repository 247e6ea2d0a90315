"""How a call ended when it did not end well. Neither is a `requests` exception: the SDK lets both through untouched."""

from http import HTTPStatus


class NoAnswerError(Exception):
    """The call may have acted or not: nothing came back, or nothing that can be trusted."""


class NotSentError(NoAnswerError):
    """Nothing came back, because nothing was sent."""


class ApiError(Exception):
    """Razorpay's own envelope with a definite no. Members that it left out, or filled with NA, are None."""

    def __init__(
        self,
        status: int,
        code: str,
        description: str,
        *,
        reason: str | None = None,
        field: str | None = None,
        order_id: str | None = None,
    ) -> None:
        super().__init__(f"{status} {code}: {description}")
        self.status = status
        self.code = code
        self.description = description
        self.reason = reason
        self.field = field
        self.order_id = order_id

    @property
    def is_unknown_id(self) -> bool:
        """Whether it says that there is no such thing: Razorpay says it with a 400 and this text."""
        return "id provided does not exist" in self.description or "is not a valid id" in self.description

    @property
    def is_used_receipt(self) -> bool:
        """Whether an order with the receipt exists already."""
        return "receipt should be unique" in self.description

    @property
    def says_nothing_of_the_refund(self) -> bool:
        """Whether a refund was not judged at all: the same key is at work elsewhere, or our own key is refused."""
        credentials = self.status in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN)
        return credentials or "still in progress" in self.description
