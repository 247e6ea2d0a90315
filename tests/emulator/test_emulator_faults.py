"""Which faults are armed, where they strike and how often."""

import re
from typing import Any, get_args

import pytest

from kapda.emulator.fault_kinds import KINDS, Operation
from tests.emulator.conftest import Emulator, Json, Start

TEAPOT: Json = {"kind": "html", "status": 418}
ORDER = {"amount": 500, "currency": "INR"}


async def statuses(emulator: Emulator, count: int) -> list[int]:
    return [(await emulator.http.post("/v1/orders", json=ORDER)).status_code for _ in range(count)]


@pytest.mark.parametrize(
    ("how", "struck"),
    [
        ({}, [1, 2, 3, 4, 5]),
        ({"times": 2}, [1, 2]),
        ({"skip": 3}, [4, 5]),
        ({"skip": 1, "times": 1}, [2]),
    ],
)
async def test_a_fault_strikes_as_often_as_it_says(emulator: Emulator, how: Json, struck: list[int]) -> None:
    await emulator.arm({**TEAPOT, **how})
    assert [n for n, status in enumerate(await statuses(emulator, 5), 1) if status == 418] == struck
    (shown,) = (await emulator.call("GET", "/emulator/faults"))["items"]
    assert (shown["name"], shown["seen"], shown["used"]) == ("fault-1", 5, len(struck))
    assert shown["active"] is ("times" not in how)


async def test_chance_comes_from_the_seed_and_the_name_alone(start: Start) -> None:
    runs = []
    for seed, others in ((3, []), (3, [{"kind": "webhook_drop", "probability": 0.5}]), (4, [])):
        emulator = await start(seed=seed)
        await emulator.arm({**TEAPOT, "name": "tea", "probability": 0.4}, *others)
        runs.append(await statuses(emulator, 40))
    assert runs[0] == runs[1]
    assert runs[0] != runs[2]
    assert 5 < runs[0].count(418) < 30


async def test_a_fault_ends_with_its_time(emulator: Emulator) -> None:
    await emulator.arm({**TEAPOT, "for_seconds": 60})
    assert await statuses(emulator, 1) == [418]
    await emulator.advance(59)
    assert await statuses(emulator, 1) == [418]
    await emulator.advance(1)
    assert await statuses(emulator, 1) == [200]


async def test_an_address_leaves_everything_else_alone(emulator: Emulator) -> None:
    payment, other = await emulator.captured(), await emulator.captured()
    named = await emulator.order(receipt="checkout-7")
    refund = await emulator.call("POST", f"/v1/payments/{payment['id']}/refund", {"amount": 500})
    theirs = [
        ("operation", "get_payment", f"/v1/payments/{payment['id']}", f"/v1/orders/{payment['order_id']}"),
        ("path", "/v1/payments/*/refunds", f"/v1/payments/{payment['id']}/refunds", f"/v1/payments/{payment['id']}"),
        ("payment_id", payment["id"], f"/v1/payments/{payment['id']}", f"/v1/payments/{other['id']}"),
        ("payment_id", payment["id"], f"/v1/refunds/{refund['id']}", "/v1/refunds"),
        ("order_id", payment["order_id"], f"/v1/payments/{payment['id']}", f"/v1/payments/{other['id']}"),
        ("order_id", payment["order_id"], f"/v1/orders/{payment['order_id']}/payments", "/v1/orders"),
        ("receipt", "checkout-7", f"/v1/orders/{named['id']}", f"/v1/orders/{other['order_id']}"),
        ("receipt", "checkout-7", "/v1/orders?receipt=checkout-7", "/v1/orders?receipt=checkout-8"),
    ]
    for field, value, hit, missed in theirs:
        await emulator.arm({**TEAPOT, field: value})
        assert [(await emulator.http.get(path)).status_code for path in (hit, missed)] == [418, 200], (field, hit)
    await emulator.arm({**TEAPOT, "receipt": "new", "method": "POST"})
    assert (await emulator.http.post("/v1/orders", json={**ORDER, "receipt": "new"})).status_code == 418
    assert (await emulator.http.get("/v1/orders?receipt=new")).status_code == 200


async def test_the_first_fault_that_fits_is_the_one_and_the_next_takes_over(emulator: Emulator) -> None:
    await emulator.arm({**TEAPOT, "times": 1}, {"kind": "server_error", "status": 503, "times": 1})
    assert await statuses(emulator, 3) == [418, 503, 200]


async def test_faults_are_put_shown_and_removed_by_name(emulator: Emulator) -> None:
    await emulator.arm({**TEAPOT, "name": "tea", "times": 1})
    await emulator.call("PUT", "/emulator/faults/lag", {"kind": "list_lag", "seconds": 5})
    await emulator.call("PUT", "/emulator/faults/tea", {"kind": "server_error", "status": 504})
    shown = (await emulator.call("GET", "/emulator/faults"))["items"]
    assert [(fault["name"], fault["kind"]) for fault in shown] == [("tea", "server_error"), ("lag", "list_lag")]
    assert shown[0]["status"] == 504
    await emulator.call("DELETE", "/emulator/faults/tea")
    assert (await emulator.refused("DELETE", "/emulator/faults/tea"))[0] == 400
    assert (await emulator.call("GET", "/emulator/faults"))["count"] == 1
    assert (await emulator.call("DELETE", "/emulator/faults")) == {"count": 0, "items": []}


@pytest.mark.parametrize(
    "wrong",
    [
        [{"kind": "earthquake"}],
        [{"kind": "html", "colour": "red"}],
        [{"kind": "html", "times": 0}],
        [{"kind": "html", "probability": 1.5}],
        [{"kind": "html", "operation": "delete_order"}],
        [{"kind": "list_lag", "operation": "capture"}],
        [{"kind": "server_error", "status": 404}],
        [{"kind": "html", "name": "same"}, {"kind": "html", "name": "same"}],
        {"kind": "html"},
    ],
)
async def test_a_wrong_fault_is_refused_and_changes_nothing(emulator: Emulator, wrong: Any) -> None:
    await emulator.arm({"kind": "webhook_drop", "name": "kept"})
    assert (await emulator.refused("PUT", "/emulator/faults", wrong))[0] == 400
    assert [fault["name"] for fault in (await emulator.call("GET", "/emulator/faults"))["items"]] == ["kept"]


async def test_every_kind_can_be_armed_with_its_defaults(emulator: Emulator) -> None:
    await emulator.arm(*({"kind": kind} for kind in KINDS))
    shown = (await emulator.call("GET", "/emulator/faults"))["items"]
    assert [fault["kind"] for fault in shown] == list(KINDS)


async def test_the_operations_are_those_of_the_api(emulator: Emulator) -> None:
    transport = emulator.http._transport
    app = transport.app  # type: ignore[attr-defined]  # the fixture's transport calls the application itself
    assert {route.name for route in app.routes[0].routes} == set(get_args(Operation))


async def test_without_faults_nothing_is_different(start: Start) -> None:
    books = []
    for armed in (False, True):
        emulator = await start(seed=9)
        if armed:
            await emulator.arm({**TEAPOT, "times": 1}, {"kind": "webhook_drop", "payment_id": "pay_ofAnotherOne"})
            assert await statuses(emulator, 1) == [418]
            await emulator.call("DELETE", "/emulator/faults")
        await emulator.captured()
        books.append(await emulator.call("GET", "/emulator/books"))
    assert books[0] == books[1]
    assert re.fullmatch(r"pay_[A-Za-z0-9]{14}", books[0]["payments"][0]["id"])
