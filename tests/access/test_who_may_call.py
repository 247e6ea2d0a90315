"""Every method, everybody: the server lets in whom docs/access.md lets in, and nobody else.

The methods are read from the contract, so a new one is tried from the day on which it is declared.
"""

import pytest

from kapda.domain.identity.scope import Scope
from tests.access.asking import request_of, sent
from tests.access.crowd import CALLERS, Caller, Crowd
from tests.access.table import Line, must_sign, read_table, says_yes
from tests.attacks.contract import METHODS, Method
from tests.attacks.refusals import Refusal
from tests.attacks.stage import GUEST, NOBODY
from tools.access_table import check

TABLE = read_table()
# What the door says. Whatever else comes of a call, it was let in.
DOOR = {
    "TOKEN_MISSING",
    "TOKEN_INVALID",
    "TOKEN_EXPIRED",
    "SESSION_REVOKED",
    "GUEST_CART_UNKNOWN",
    "API_KEY_INVALID",
    "API_KEY_EXPIRED",
    "ROLE_NOT_ALLOWED",
    "SCOPE_MISSING",
    "SIGNATURE_MISSING",
    "SIGNATURE_INVALID",
    "SIGNATURE_EXPIRED",
    "NONCE_REUSED",
}
by_method = pytest.mark.parametrize("method", METHODS, ids=lambda method: method.descriptor.name)


def test_the_table_is_what_the_contract_says() -> None:
    check()


def test_the_table_has_a_line_for_every_method() -> None:
    assert set(TABLE) == {method.descriptor.name for method in METHODS}


def refused_for(line: Line, caller: Caller) -> str | None:
    """Why the table keeps the caller out; None where it does not."""
    if says_yes(line, "nobody"):
        return None
    if caller.name == NOBODY:
        return "TOKEN_MISSING"
    if caller.name == GUEST:
        return None if says_yes(line, "guest") else "TOKEN_MISSING"
    if caller.scopes is None:
        return None if says_yes(line, caller.column) else "ROLE_NOT_ALLOWED"
    if not line["service"]:
        return "ROLE_NOT_ALLOWED"
    return None if Scope(line["service"]) in caller.scopes else "SCOPE_MISSING"


@by_method
async def test_the_server_lets_in_whom_the_table_lets_in(crowd: Crowd, method: Method) -> None:
    line = TABLE[method.descriptor.name]
    for caller in CALLERS:
        answer = await sent(crowd, method, caller.name, request_of(method).SerializeToString())
        reason = answer.reason if isinstance(answer, Refusal) and answer.reason in DOOR else None
        assert reason == refused_for(line, caller), caller.name


@by_method
async def test_whoever_is_kept_out_is_so_before_the_request_is_looked_at(crowd: Crowd, method: Method) -> None:
    line = TABLE[method.descriptor.name]
    for caller in CALLERS:
        reason = refused_for(line, caller)
        if reason is not None:
            answer = await sent(crowd, method, caller.name, b"\xff\xff\xff")
            assert isinstance(answer, Refusal)
            assert answer.reason == reason, caller.name


@pytest.mark.parametrize(
    "method", [method for method in METHODS if TABLE[method.descriptor.name]["signed"]], ids=lambda m: m.path
)
async def test_nobody_who_must_sign_goes_without_a_signature_and_nobody_else_is_asked_for_one(
    crowd: Crowd, method: Method
) -> None:
    line = TABLE[method.descriptor.name]
    allowed = [caller for caller in CALLERS if refused_for(line, caller) is None]
    assert any(must_sign(line, caller.column) for caller in allowed)
    for caller in allowed:
        answer = await sent(crowd, method, caller.name, request_of(method).SerializeToString(), signed=False)
        missing = isinstance(answer, Refusal) and answer.reason == "SIGNATURE_MISSING"
        assert missing == must_sign(line, caller.column), caller.name
