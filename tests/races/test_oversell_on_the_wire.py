"""F1 at its largest: 400 buyers, 50 pieces, two server processes, the whole way through the wire."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from uuid import uuid4

import grpc
import pytest
from pydantic import SecretStr

from kapda.adapters.crypto.jwt_tokens import JwtAccessTokens
from kapda.adapters.embedded.processes import free_port
from kapda.domain.identity.session import AccessClaims, Session
from kapda.domain.identity.user import Role
from kapda.domain.shared.ids import SessionId, UserId
from kapda.entrypoints.cli.probes import grpc_is_ready
from kapda.entrypoints.cli.stack import Stack
from kapda.entrypoints.cli.supervisor import Supervisor
from kapda.entrypoints.container import Container
from tests.shop.shop import settings_for
from tests.shop.wire import Caller, Wire, eventually, insist, reason_of

# Starts and kills real processes again and again: minutes of two cores.
pytestmark = pytest.mark.torture

BUYERS, PIECES = 400, 50
TOO_LATE = {"INSUFFICIENT_STOCK", "CART_CHANGED"}


@pytest.fixture
async def second_server(stack: Stack) -> AsyncIterator[grpc.aio.Channel]:
    """A channel to another server process of the same shop."""
    address = f"127.0.0.1:{free_port()}"
    usual = next(program for program in stack.supervisor.programs if program.name == "serve")
    another = replace(usual, name="serve-2", is_ready=partial(grpc_is_ready, address))
    environment = {**stack.supervisor.environment, "KAPDA_GRPC_ADDRESS": address}
    logs = stack.supervisor.logs / "second"
    with Supervisor(tasks=(), programs=(another,), environment=environment, logs=logs):
        async with grpc.aio.insecure_channel(address) as channel:
            yield channel


async def _buyers(wire: Wire, variant_id: str) -> list[Caller]:
    """Customers with the variant in their carts. Made in the database: 400 passwords would take longer than the race."""
    rows = await wire.database.fetch(
        """WITH u AS (
            INSERT INTO users (id, email, email_key, display_name, password_hash, role, created_at, updated_at)
            SELECT id, id || '@example.com', id || '@example.com', 'Asha', '-', 'customer', now(), now()
            FROM (SELECT uuidv7() AS id FROM generate_series(1, $2::integer)) AS ids RETURNING id
        ), c AS (
            INSERT INTO carts (id, customer_id, created_at, updated_at, expires_at)
            SELECT uuidv7(), id, now(), now(), now() + interval '1 day' FROM u RETURNING id
        ), l AS (
            INSERT INTO cart_lines (cart_id, variant_id, quantity, unit_price_minor, currency, created_at, updated_at)
            SELECT c.id, v.id, 1, v.price_minor, v.currency, now(), now() FROM c, variants v WHERE v.id = $1::uuid
        ) SELECT id FROM u""",
        variant_id,
        BUYERS,
    )
    tokens = _tokens(wire)
    sessions = [Session.start(SessionId(uuid4()), UserId(row["id"]), datetime.now(UTC)) for row in rows]
    await wire.database.executemany(
        "INSERT INTO sessions (id, user_id, created_at, expires_at) VALUES ($1, $2, $3, $4)",
        [(session.id, session.user_id, session.created_at, session.expires_at) for session in sessions],
    )
    claims = [AccessClaims.for_session(session, Role.CUSTOMER, uuid4(), session.created_at) for session in sessions]
    return [Caller(wire, tokens.issue(claim)) for claim in claims]


def _tokens(wire: Wire) -> JwtAccessTokens:
    """Issues what the running servers accept."""
    keys = [SecretStr(wire.stack.environment["KAPDA_JWT_KEYS"])]
    settings = settings_for("postgresql://unused", "redis://unused", "http://127.0.0.1:1")
    tokens: JwtAccessTokens = Container(settings=settings.model_copy(update={"jwt_keys": keys})).access_tokens()
    return tokens


async def test_f1_four_hundred_buyers_of_fifty_pieces_through_two_servers_make_fifty_orders(
    wire: Wire, second_server: grpc.aio.Channel
) -> None:
    variant = await wire.variant(pieces=PIECES)
    buyers = await _buyers(wire, variant)
    shown = await buyers[0].checkout_request()
    gate = asyncio.Event()

    async def buy(buyer: Caller, channel: grpc.aio.Channel) -> str:
        request = type(shown)(request_id=str(uuid4()), address=buyer.home, expected_total=shown.expected_total)
        await gate.wait()
        try:
            checkout = await insist(partial(buyer.start, request, channel))
        except grpc.aio.AioRpcError as error:
            return reason_of(error)
        await wire.pay(checkout)
        return "bought"

    channels = (wire.channel, second_server)
    buying = [asyncio.create_task(buy(buyer, channels[number % 2])) for number, buyer in enumerate(buyers)]
    gate.set()
    ended = Counter(await asyncio.gather(*buying))

    assert ended.pop("bought") == PIECES
    assert set(ended) <= TOO_LATE
    assert ended.total() == BUYERS - PIECES

    async def all_delivered() -> bool:
        return await wire.level(variant) == (0, 0)

    await eventually(all_delivered, within=30.0)
    placed = "SELECT count(*) FROM order_lines WHERE variant_id = $1::uuid"
    assert await wire.database.fetchval(placed, variant) == PIECES
    await wire.check_promises()
