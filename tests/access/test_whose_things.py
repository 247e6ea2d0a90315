"""Another's thing is answered exactly like one that does not exist: the same code, the same reason, the same shape."""

from typing import Any
from uuid import uuid4

import grpc
import pytest
from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message

from buf.validate import validate_pb2
from tests.access.asking import request_of, sent
from tests.access.crowd import Crowd
from tests.access.things import ComeBy, address, session, told
from tests.attacks.contract import METHODS, Method, Path, fields_of
from tests.attacks.refusals import Refusal
from tests.attacks.stage import ROLES

# What is no thing of anybody's: a name for the request, and what is on sale to everybody.
NOBODYS = {"request_id", "CartService.variant_id"}
# Well-formed, and no thing's: who owns the thing is asked first.
ETAG = "v0"


# For each kind of thing: whose it is, who is a stranger to it, and how to come by one.
KINDS: dict[str, tuple[str, tuple[str, ...], ComeBy]] = {
    "variant_id": ("press", ("loom", "service of one house"), told("variant_id")),
    "checkout_id": ("asha", ("ravi", "loom", "press"), told("checkout_id")),
    "order_id": ("asha", ("ravi", "loom", "press"), told("order_id")),
    "payment_id": ("asha", ("ravi", "loom", "press"), told("payment_id")),
    "session_id": ("asha", ("ravi", "loom", "press", "admin"), session),
    "address_id": ("asha", ("ravi", "loom", "press", "admin"), address),
}


def _things(method: Method) -> list[Path]:
    """The fields of a request that name a thing with an owner."""
    found = []
    for path in fields_of(method.request):
        rules: Any = path[-1].GetOptions()
        is_id = path[-1].cpp_type == FieldDescriptor.CPPTYPE_STRING and rules.Extensions[validate_pb2.field].string.uuid
        names = {path[-1].name, f"{method.descriptor.containing_service.name}.{path[-1].name}"}
        if is_id and not names & NOBODYS:
            found.append(path)
    return found


CASES = [(method, path) for method in METHODS if method.owned for path in _things(method)]


def named(request: Message, path: Path, value: str) -> bytes:
    """The request, about that thing and nothing else, under a name of its own."""
    inner: Any = request
    for field in path[:-1]:
        inner = getattr(inner, field.name)
        if field.is_repeated:
            del inner[1:]
            inner = inner[0]
    setattr(inner, path[-1].name, value)
    for name, text in (("request_id", str(uuid4())), ("etag", ETAG)):
        if name in request.DESCRIPTOR.fields_by_name:
            setattr(request, name, text)
    return request.SerializeToString()


def shape(refusal: Refusal, thing: str) -> tuple[object, ...]:
    """All that a refusal tells, but for the thing's own name."""
    details = [
        (detail.type_url, detail.value.replace(thing.encode(), b"it"))
        for detail in refusal.status.details
        if not detail.type_url.endswith("RequestInfo")
    ]
    return refusal.code, refusal.reason, refusal.text.replace(thing, "it"), details


def test_every_kind_of_thing_that_has_an_owner_is_tried() -> None:
    kinds = {path[-1].name for _, path in CASES}
    assert kinds == set(KINDS), "give tests/access/test_whose_things.py a way to come by one of the new kind"


@pytest.mark.parametrize(
    ("method", "path"), CASES, ids=[f"{method.descriptor.name}-{path[-1].name}" for method, path in CASES]
)
async def test_anothers_thing_is_answered_like_one_that_does_not_exist(
    crowd: Crowd, method: Method, path: Path
) -> None:
    owner, strangers, come_by = KINDS[path[-1].name]
    thing = await come_by(crowd, owner)
    for stranger in strangers:
        if stranger in ROLES and ROLES[stranger] not in method.rule.roles:
            continue
        request, missing = request_of(method), str(uuid4())
        not_theirs = await sent(crowd, method, stranger, named(request, path, thing))
        not_there = await sent(crowd, method, stranger, named(request, path, missing))
        assert isinstance(not_theirs, Refusal), stranger
        assert isinstance(not_there, Refusal), stranger
        assert not_theirs.code is grpc.StatusCode.NOT_FOUND, (stranger, not_theirs.text)
        assert shape(not_theirs, thing) == shape(not_there, missing), stranger
    theirs = await sent(crowd, method, owner, named(request_of(method), path, thing))
    assert not isinstance(theirs, Refusal) or theirs.code is not grpc.StatusCode.NOT_FOUND, theirs
