"""Signed deliveries whose texts no database can hold: a signature proves who wrote, not that it can be stored."""

import orjson
import pytest

from tests.entrypoints.http.conftest import ACCOUNT, Delivery, Shim, engine, run_shim, shim  # noqa: F401  (fixtures)

# JSON can write both; U+0000 is no text of PostgreSQL's, and half a surrogate pair is no UTF-8.
UNSTORABLE = [rb"\u0000", rb"\ud800", rb"a\udfffb"]


def _body(name: bytes = b"payment.captured", payment: bytes = b"pay_1", order: bytes = b"order_1") -> bytes:
    account = orjson.dumps(ACCOUNT)
    entity = b'{"id":"%b","order_id":"%b","status":"captured"}' % (payment, order)
    return b'{"account_id":%b,"event":"%b","payload":{"payment":{"entity":%b}}}' % (account, name, entity)


@pytest.mark.parametrize("text", UNSTORABLE)
async def test_an_event_name_that_cannot_be_stored_is_refused(shim: Shim, text: bytes) -> None:  # noqa: F811
    answer = await shim.deliver(Delivery(_body(name=text), "evt_1"))
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "VALIDATION_FAILED")
    assert await shim.events() == []


@pytest.mark.parametrize("text", UNSTORABLE)
@pytest.mark.parametrize("field", ["payment", "order"])
async def test_an_id_that_cannot_be_stored_is_no_id(shim: Shim, field: str, text: bytes) -> None:  # noqa: F811
    answer = await shim.deliver(Delivery(_body(**{field: text}), f"evt_{field}"))
    assert answer.status_code == 200
    assert len(await shim.events()) == 1
