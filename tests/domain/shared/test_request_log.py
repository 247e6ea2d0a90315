"""The same request id with another body is a mistake, not a retry."""

from uuid import UUID

import pytest

from kapda.domain.shared.errors import InvalidArgumentError, Reason
from kapda.domain.shared.ids import RequestId
from kapda.domain.shared.request_log import EarlierRequest, RequestKey

KEY = RequestKey(UUID(int=1), "StartCheckout", RequestId(UUID(int=2)), b"this body")


def test_the_same_body_is_a_retry() -> None:
    EarlierRequest(b"this body", None, "the answer").check_same_body(KEY)


def test_another_body_is_refused_by_name() -> None:
    with pytest.raises(InvalidArgumentError) as refused:
        EarlierRequest(b"another body", None, "the answer").check_same_body(KEY)
    assert refused.value.reason is Reason.REQUEST_ID_REUSED
    assert refused.value.metadata == {"request_id": str(KEY.request_id)}
