"""What only the server or an admin decides is not decided by sending it: unknown fields, fields for output, masks."""

from typing import Any

import pytest
from google.api import field_behavior_pb2
from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp

from kapda.domain.identity.user import Role
from tests.access.asking import request_of, sent
from tests.access.crowd import Crowd
from tests.access.things import fields_of_a_taken, taken, with_fields
from tests.attacks.contract import METHODS, Method, fields_of, method_named
from tests.attacks.refusals import Refusal
from tests.attacks.stage import ROLES

TAMPERED = "tampered-with@example.com"
UPDATE = method_named("UpdateProfile")
# Whoever sends these means to change what is looked at here: they name a wrong password, or no link of ours, instead.
NOT_TAKEN = {
    "ChangePassword": "CREDENTIALS_INVALID",
    "DeleteMyAccount": "CREDENTIALS_INVALID",
    "ConfirmEmail": "LINK_INVALID",
}
OPEN_TO_CUSTOMERS = [method for method in METHODS if not method.rule.public and Role.CUSTOMER in method.rule.roles]


def is_for_output(field: FieldDescriptor) -> bool:
    """Whether the contract says that only the server fills it."""
    options: Any = field.GetOptions()
    return field_behavior_pb2.OUTPUT_ONLY in options.Extensions[field_behavior_pb2.field_behavior]


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
    request = with_fields(request_of(method), await fields_of_a_taken(crowd, method, "asha"))
    before = await power_of(crowd, "asha")
    answer = await sent(crowd, method, "asha", request.SerializeToString() + unknown_fields(method))
    refusal = answer.reason if isinstance(answer, Refusal) else None
    assert refusal == NOT_TAKEN.get(method.descriptor.name), "give tests/access/things.py what makes it be taken"
    assert await power_of(crowd, "asha") == before


async def test_whoever_signs_up_is_a_customer_whatever_else_is_sent(crowd: Crowd) -> None:
    method = method_named("SignUp")
    request: Any = request_of(method)
    answer: Any = await sent(crowd, method, "nobody", request.SerializeToString() + unknown_fields(method))
    assert not isinstance(answer, Refusal), answer.text
    (row,) = await crowd.stage.shop.sql("SELECT role, status FROM users WHERE id = :id", id=answer.user.id)
    assert (row["role"], row["status"]) == ("customer", "active")


@pytest.mark.parametrize("who", [who for who, role in ROLES.items() if role in UPDATE.rule.roles])
async def test_a_field_for_output_that_is_sent_is_not_taken(crowd: Crowd, who: str) -> None:
    profile, before = (await taken(crowd, "GetProfile", who)).profile, await power_of(crowd, who)
    request: Any = UPDATE.new_request()
    request.profile.CopyFrom(profile)
    for field in profile.DESCRIPTOR.fields:
        if is_for_output(field):
            tamper_with(request.profile, field)
    request.profile.display_name = f"{profile.display_name} Rao"
    request.update_mask.paths[:] = ["display_name"]
    request.etag = profile.etag
    answer: Any = await sent(crowd, UPDATE, who, request.SerializeToString())
    assert not isinstance(answer, Refusal), answer.text

    assert answer.profile.display_name == request.profile.display_name
    assert answer.profile.etag not in {TAMPERED, profile.etag}
    assert answer.profile == (await taken(crowd, "GetProfile", who)).profile
    for message in (answer.profile, profile):
        message.ClearField("display_name")
        message.ClearField("etag")
    assert answer.profile == profile
    assert await power_of(crowd, who) == before


def tamper_with(message: Message, field: FieldDescriptor) -> None:
    """Something that the server would never fill in."""
    if field.cpp_type == FieldDescriptor.CPPTYPE_STRING:
        setattr(message, field.name, TAMPERED)
    else:
        kind = field.message_type
        assert kind is not None
        assert kind.full_name == Timestamp.DESCRIPTOR.full_name, "give this test the new kind"
        getattr(message, field.name).FromSeconds(1)


def test_only_a_profile_is_sent_with_fields_for_output() -> None:
    with_output = {
        method.descriptor.name
        for method in METHODS
        if any(is_for_output(path[-1]) for path in fields_of(method.request))
    }
    assert with_output == {UPDATE.descriptor.name}, "try the new one as the profile is tried"


@pytest.mark.parametrize("path", ["email", "email_confirm_time", "etag", "create_time", "role", "id", "status", "*"])
async def test_a_mask_that_names_a_field_for_output_is_refused(crowd: Crowd, path: str) -> None:
    profile, before = (await taken(crowd, "GetProfile", "asha")).profile, await power_of(crowd, "asha")
    request: Any = UPDATE.new_request()
    request.profile.CopyFrom(profile)
    request.update_mask.paths[:] = ["display_name", path]
    request.etag = profile.etag
    answer = await sent(crowd, UPDATE, "asha", request.SerializeToString())
    assert isinstance(answer, Refusal)
    assert answer.reason == "VALIDATION_FAILED"
    assert (await taken(crowd, "GetProfile", "asha")).profile == profile
    assert await power_of(crowd, "asha") == before
