"""F55: a server is told to go amid a crowd: what it has begun it finishes, and whoever it has not is told so."""

import asyncio
from collections import Counter

import grpc

from kapda.api.cart.v1 import cart_service_pb2
from kapda.api.cart.v1.cart_service_pb2_grpc import CartServiceStub
from kapda.domain.cart.cart import Cart
from kapda.domain.cart.use_cases.add_item import AddItemCommand
from kapda.domain.shared.request_log import Answer
from tests.entrypoints.grpc.conftest import CUSTOMER, Start, as_caller
from tests.entrypoints.grpc.test_calls import EMPTY
from tests.shop.wire import reason_of
from tests.waiting import until

CROWD = 100
ROUNDS = 5


async def _crowd_meets_a_drain(start: Start) -> Counter[str]:
    """How a hundred clients' calls end, each of whom goes on until it is refused, and comes back a second later."""
    served = await start()
    begun: set[str] = set()
    answered: set[str] = set()

    async def some_work(command: AddItemCommand) -> Answer[Cart]:
        begun.add(str(command.request_id))
        await asyncio.sleep(0.005)
        answered.add(str(command.request_id))
        return Answer(EMPTY)

    served.use_cases.behaviours["add_item"] = some_work
    stub, heard, ended = CartServiceStub(served.channel), Counter[str](), Counter[str]()

    async def client(number: int) -> None:
        for turn in range(10_000):
            request_id = f"00000000-0000-4000-8000-{number:06d}{turn:06d}"
            request = cart_service_pb2.AddItemRequest(
                request_id=request_id, variant_id="0190a000-0000-7000-8000-000000000001", quantity=1
            )
            try:
                await stub.AddItem(request, metadata=as_caller(CUSTOMER))
            except grpc.aio.AioRpcError as error:
                # What was begun is never among what was refused.
                assert request_id not in begun
                ended[f"{error.code().name} {reason_of(error)}".strip()] += 1
                return
            heard["OK"] += 1

    clients = [asyncio.create_task(client(number)) for number in range(CROWD)]
    await until(lambda: len(answered) > 2 * CROWD)
    await served.server.drain()
    await asyncio.gather(*clients)
    assert heard["OK"] == len(answered)
    assert ended.total() == CROWD
    return ended


async def test_f55_no_caller_of_a_server_that_goes_is_left_without_a_reason(start: Start) -> None:
    ended: Counter[str] = Counter()
    for _ in range(ROUNDS):
        ended += await _crowd_meets_a_drain(start)
    # Who comes in the instant between the server's last look and grpc's stop is cancelled by grpc, without a word.
    assert ended.pop("CANCELLED", 0) <= ROUNDS
    # Those who come when nobody listens any more hear it from their own library.
    assert set(ended) <= {"UNAVAILABLE DRAINING", "UNAVAILABLE"}, ended
    assert ended["UNAVAILABLE DRAINING"] > ended["UNAVAILABLE"], ended
