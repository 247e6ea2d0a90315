"""What only the server or an admin decides is not decided by sending it: unknown fields, fields for output, masks."""

from typing import Any

import pytest
from google.api import field_behavior_pb2
from google.protobuf.descriptor import FieldDescriptor

from kapda.domain.identity.user import Role
from tests.access.asking import request_of, sent
from tests.access.crowd import Crowd
from tests.attacks.contract import METHODS, Method, fields_of, method_named
from tests.attacks.refusals import Refusal
from tests.attacks.stage import ROLES

TAMPERED = "tampered-with@example.com"
OPEN_TO_CUSTOMERS = [method for method in METHODS if not method.rule.public and Role.CUSTOMER in method.rule.roles]


def is_for_output(field: FieldDescriptor) -> bool:
    """Whether the contract says that only the server fills it."""
    options: Any = field.GetOptions()
    return field_behavior_pb2.OUTPUT_ONLY in options.Extensions[field_behavior_pb2.field_behavior]


WITH_OUTPUT = [method for method in METHODS if any(is_for_output(path[-1]) for path in fields_of(method.request))]


def unknown_fields(method: Method) -> bytes:
    """Every number that the request does not have, up to 60, as ROLE_ADMIN and as true: a field that a later or an
    internal message might have there."""
    known = {field.number for field in method.request.fields}
    return b"".join(
        _varint(number << 3) + _varint(value) for number in range(1, 61) if number not in known for value in (1, 4)
    )


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value])


async def power_of(crowd: Crowd, name: str) -> dict[str, Any]:
    """What makes the user what they are."""
    (row,) = await crowd.stage.shop.sql(
        """SELECT role, status, email, email_confirmed_at, password_hash, created_at,
               (SELECT array_agg(designer_id) FROM designer_members WHERE user_id = u.id) AS houses
           FROM users u WHERE id = :id""",
        id=crowd.stage.users[name],
    )
    return row


@pytest.mark.parametrize("method", OPEN_TO_CUSTOMERS, ids=lambda method: method.descriptor.name)
async def test_fields_that_a_request_does_not_have_change_nothing(crowd: Crowd, method: Method) -> None:
    before = await power_of(crowd, "asha")
    await sent(crowd, method, "asha", request_of(method).SerializeToString() + unknown_fields(method))
    assert await power_of(crowd, "asha") == before


async def test_whoever_signs_up_is_a_customer_whatever_else_is_sent(crowd: Crowd) -> None:
    method = method_named("SignUp")
    request: Any = request_of(method)
    answer: Any = await sent(crowd, method, "nobody", request.SerializeToString() + unknown_fields(method))
    assert not isinstance(answer, Refusal), answer.text
    (row,) = await crowd.stage.shop.sql("SELECT role, status FROM users WHERE id = :id", id=answer.user.id)
    assert (row["role"], row["status"]) == ("customer", "active")


@pytest.mark.parametrize(
    ("method", "who"),
    [(method, who) for method in WITH_OUTPUT for who, role in ROLES.items() if role in method.rule.roles],
    ids=lambda value: value if isinstance(value, str) else value.descriptor.name,
)
async def test_a_field_for_output_that_is_sent_is_not_taken(crowd: Crowd, method: Method, who: str) -> None:
    before = await power_of(crowd, who)
    request = request_of(method)
    for path in fields_of(method.request):
        if is_for_output(path[-1]):
            inner: Any = request
            for field in path[:-1]:
                assert not field.is_repeated, "give this test a list"
                inner = getattr(inner, field.name)
            if path[-1].cpp_type == FieldDescriptor.CPPTYPE_STRING:
                setattr(inner, path[-1].name, TAMPERED)
            elif path[-1].message_type is not None:
                getattr(inner, path[-1].name).SetInParent()
    answer = await sent(crowd, method, who, request.SerializeToString())
    if not isinstance(answer, Refusal):
        assert TAMPERED not in str(answer)
    assert await power_of(crowd, who) == before


@pytest.mark.parametrize("path", ["email", "email_confirm_time", "etag", "create_time", "role", "id", "status", "*"])
async def test_a_mask_that_names_a_field_for_output_is_refused(crowd: Crowd, path: str) -> None:
    method = method_named("UpdateProfile")
    before = await power_of(crowd, "asha")
    request: Any = request_of(method)
    request.update_mask.paths[:] = [path]
    answer = await sent(crowd, method, "asha", request.SerializeToString())
    assert isinstance(answer, Refusal)
    assert answer.reason == "VALIDATION_FAILED"
    assert await power_of(crowd, "asha") == before
