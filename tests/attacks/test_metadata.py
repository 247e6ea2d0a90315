"""Metadata and frames that no client of gRPC's would send, and those that it would: refused by the right code, and nothing
done, told or broken."""

import gzip
import random
from collections.abc import Sequence
from typing import Any
from uuid import uuid4

import grpc
import pytest
import structlog

from tests.attacks.contract import Method, method_named
from tests.attacks.messages import Messages
from tests.attacks.raw import RawAnswer, call_raw, framed
from tests.attacks.refusals import MACHINE, Refusal
from tests.attacks.stage import NOBODY, Stage
from tests.attacks.values import Values

Pairs = Sequence[tuple[str, str | bytes]]
CODES = {code.value[0]: code.name for code in grpc.StatusCode}
OWN = "authorization of asha"
GARBAGE = "Bearer eyJhbGciOiJub25lIn0.e30."  # pragma: allowlist secret  (no token: it is to be refused)


def good(stage: Stage, method: Method, caller: str) -> bytes:
    """A request that would be served."""
    return Messages(Values(random.Random(str(uuid4()))), stage.known).good(method, caller).SerializeToString()  # noqa: S311


async def refused(stage: Stage, method: str, metadata: Pairs, caller: str = NOBODY) -> tuple[str, str]:
    """Code and reason of a call with more metadata than the caller's own; nothing is written by it."""
    before = await stage.everything_written()
    one = method_named(method)
    with structlog.testing.capture_logs() as lines, pytest.raises(grpc.aio.AioRpcError) as caught:
        await stage.send(one, good(stage, one, "asha"), caller, more=tuple(metadata))
    assert await stage.everything_written() == before
    assert not [line for line in lines if line["log_level"] == "error"]
    refusal = Refusal(caught.value)
    assert not refusal.tells([*await stage.secrets(), "eyJhbGciOiJub25lIn0"])
    return refusal.code.name, refusal.reason


@pytest.mark.parametrize("method", ["GetCart", "AddItem", "StartCheckout"])
@pytest.mark.parametrize("more", [GARBAGE, OWN, ""])
async def test_a_second_authorization_is_refused_even_if_both_are_good(stage: Stage, method: str, more: str) -> None:
    ((name, own),) = stage.metadata["asha"]
    value = own if more == OWN else more
    assert await refused(stage, method, [(name, value)], "asha") == ("UNAUTHENTICATED", "TOKEN_INVALID")
    assert await refused(stage, method, [(name, value), (name, own)]) == ("UNAUTHENTICATED", "TOKEN_INVALID")


async def test_a_second_guest_token_or_api_key_is_refused(stage: Stage) -> None:
    for caller, method in (("guest", "AddItem"), ("service", "GetStock")):
        own = stage.metadata[caller]
        assert await refused(stage, method, own, caller) == ("UNAUTHENTICATED", "TOKEN_INVALID")


@pytest.mark.parametrize("again", ["x-kapda-signing-key", "x-kapda-timestamp", "x-kapda-nonce", "x-kapda-signature"])
async def test_a_signature_with_a_part_that_comes_twice_is_refused(stage: Stage, again: str) -> None:
    told = await refused(stage, "RefundOrder", [(again, "1")], "admin")
    assert told == ("PERMISSION_DENIED", "SIGNATURE_INVALID")


@pytest.mark.parametrize(
    "value",
    [
        "Bearer",
        "Bearer ",
        "bearer   ",
        "Bearer a.b",
        "Bearer " + "." * 5000,
        "Bearer " + "a" * 7000,
        "Basic YTpi",
        "a",
    ],
    ids=["bare", "blank", "spaces", "short", "dots", "long", "basic", "letter"],
)
async def test_an_authorization_that_is_no_token_is_unauthenticated(stage: Stage, value: str) -> None:
    code, reason = await refused(stage, "AddItem", [("authorization", value)])
    assert (code, reason) in {("UNAUTHENTICATED", "TOKEN_MISSING"), ("UNAUTHENTICATED", "TOKEN_INVALID")}


async def test_binary_metadata_is_nobodys_token(stage: Stage) -> None:
    for name in ("authorization-bin", "x-kapda-guest-cart-bin", "x-kapda-api-key-bin"):
        own = stage.metadata["asha"][0][1].encode()
        assert await refused(stage, "AddItem", [(name, own)]) == ("UNAUTHENTICATED", "TOKEN_MISSING")


async def raw(stage: Stage, headers: Pairs = (), body: bytes | None = None, **instead: str) -> RawAnswer:
    """A GetCart of asha's as an attacker writes it; neither a fault of ours in the log nor a word of the machine comes back,
    and the server serves the next."""
    method = method_named("GetCart")
    own = stage.metadata["asha"]
    with structlog.testing.capture_logs() as lines:
        answer = await call_raw(stage.port, method, framed(b"") if body is None else body, [*own, *headers], **instead)
        await stage.ask("GetCart", "asha")
    assert not [line for line in lines if line["log_level"] == "error"], lines
    assert not MACHINE.search(answer.text.encode()), answer.text
    return answer


@pytest.mark.parametrize("count", [1, 100, 300])
async def test_metadata_above_the_limit_is_refused_every_time_and_below_it_never(stage: Stage, count: int) -> None:
    # A name and its value, 32 bytes besides; the limit is 16 KiB in all, and other headers take some of it.
    small, big = ([(f"x-{number:04}", "v" * (size // count)) for number in range(count)] for size in (3_000, 20_000))
    for _ in range(5):
        assert (await raw(stage, small)).code == 0
        assert (await raw(stage, big)).code == grpc.StatusCode.RESOURCE_EXHAUSTED.value[0]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("x-kapda-guest-cart", "कपड़ा".encode()),
        ("x-kapda-guest-cart", b"\xff\xfe\x00"),
        ("x-request-id", b"a\nb\x00" * 4),
        ("x-forwarded-for", b"\x00\xff, ::::1]["),
        ("user-agent", b"\x1b[31m\x00\xff"),
        ("grpcgateway-user-agent", "\u202e\u200b👗".encode()),
        ("x-a-bin", b"////"),
        ("traceparent", b"00-zz-\xff"),
    ],
)
async def test_strange_bytes_in_metadata_change_nothing(stage: Stage, name: str, value: bytes) -> None:
    assert (await raw(stage, [(name, value)])).code == 0


@pytest.mark.parametrize("value", [b"Bearer \xff\xfe", "Bearer कपड़ा".encode(), b"Bearer a\x00b", b"\x00"])
async def test_a_token_of_strange_bytes_is_unauthenticated(stage: Stage, value: bytes) -> None:
    before = await stage.everything_written()
    answer = await call_raw(stage.port, method_named("GetCart"), framed(b""), [("authorization", value)])
    assert answer.code == grpc.StatusCode.UNAUTHENTICATED.value[0]
    guest = await call_raw(stage.port, method_named("GetCart"), framed(b""), [("x-kapda-guest-cart", value)])
    assert guest.code == grpc.StatusCode.UNAUTHENTICATED.value[0]
    assert not MACHINE.search((answer.text + guest.text).encode())
    assert await stage.everything_written() == before


@pytest.mark.parametrize(
    ("headers", "instead"),
    [
        ([("Authorization", "Bearer x")], {}),
        ([("x-a-bin", "!!!")], {}),
        ([(":more", "x")], {}),
        ([("grpc-timeout", "-1S")], {}),
        ([("grpc-timeout", "1.5S")], {}),
        ([("grpc-timeout", "")], {}),
        ([("grpc-encoding", "snappy")], {}),
        ([], {"__method": "GET"}),
        ([], {"te": ""}),
    ],
    ids=["capitals", "no base64", "pseudo header", "negative", "broken", "blank", "encoding", "GET", "no trailers"],
)
async def test_what_is_no_grpc_is_refused_by_the_transport_before_us(
    stage: Stage, headers: Pairs, instead: dict[str, str]
) -> None:
    answer = await raw(stage, headers, None, **instead)
    assert answer.reset or answer.code not in {0, None}
    assert answer.body == b""


@pytest.mark.parametrize(
    "path", ["/nothing", "nothing", "/", "//", "/" + "y" * 4000, "/kapda.api.cart.v1.CartService/getCart"]
)
async def test_a_path_that_is_no_method_is_unimplemented(stage: Stage, path: str) -> None:
    assert (await raw(stage, __path=path)).code == grpc.StatusCode.UNIMPLEMENTED.value[0]


@pytest.mark.parametrize(
    ("body", "encoding", "code"),
    [
        (framed(b"", announced=2**32 - 1), "identity", "RESOURCE_EXHAUSTED"),
        (framed(bytes(300_000)), "identity", "RESOURCE_EXHAUSTED"),
        (framed(gzip.compress(bytes(50_000_000)), compressed=1), "gzip", "RESOURCE_EXHAUSTED"),
        (framed(b"no gzip", compressed=1), "gzip", "INTERNAL"),
        (framed(b"", compressed=1), "", "INTERNAL"),
        (framed(b"\xff" * 9), "identity", "INVALID_ARGUMENT"),
    ],
    ids=["four gigabytes announced", "too long", "a bomb", "no gzip", "no encoding", "no message"],
)
async def test_a_frame_that_lies_about_its_message_is_refused(
    stage: Stage, body: bytes, encoding: str, code: str
) -> None:
    headers = [("grpc-encoding", encoding)] if encoding else []
    assert CODES[(await raw(stage, headers, body)).code or 0] == code


@pytest.mark.parametrize("size", [300_000, 1_000_000, 3_000_000])
async def test_a_text_of_a_megabyte_is_refused_whatever_the_method(stage: Stage, size: int) -> None:
    before = await stage.everything_written()
    for name, field in (("SearchProducts", "query"), ("AddItem", "variant_id"), ("LogIn", "password")):
        method: Any = method_named(name)
        request = method.new_request()
        setattr(request, field, "x" * size)
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await stage.send(method, request.SerializeToString(), NOBODY)
        assert caught.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
        assert not MACHINE.search((caught.value.details() or "").encode())
    assert await stage.everything_written() == before
