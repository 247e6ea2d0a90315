"""Requests made from the contract, about things that nobody has, and what came of sending one."""

import random
from uuid import uuid4

import grpc
from google.protobuf.message import Message

from tests.access.crowd import Crowd
from tests.attacks.contract import Method
from tests.attacks.known import Known
from tests.attacks.messages import Messages
from tests.attacks.refusals import Refusal
from tests.attacks.stage import CALL_SECONDS
from tests.attacks.values import Values

# Nobody's: the crowd's own password would let a call end an account.
WRONG_PASSWORD = "peacock-14-lantern-corridor"


def request_of(method: Method) -> Message:
    """A request that keeps every rule and names nothing that exists. A method for which none can be made fails here, by
    its name."""
    messages = Messages(Values(random.Random(str(uuid4()))), Known())  # noqa: S311  (ids nobody has)
    request = messages.good(method, "nobody in particular")
    if "password" in request.DESCRIPTOR.fields_by_name:
        setattr(request, "password", WRONG_PASSWORD)  # noqa: B010  (a field that only some requests have)
    return request


async def sent(crowd: Crowd, method: Method, caller: str, request: bytes, *, signed: bool = True) -> Refusal | Message:
    """What the server makes of it."""
    call: grpc.aio.UnaryUnaryMultiCallable[bytes, bytes] = crowd.stage.channel.unary_unary(method.path)
    metadata = await crowd.credentials(caller)
    if signed:
        metadata = (*metadata, *crowd.signature(caller, method, request))
    try:
        return method.read_response(await call(request, metadata=metadata, timeout=CALL_SECONDS))
    except grpc.aio.AioRpcError as error:
        return Refusal(error)
