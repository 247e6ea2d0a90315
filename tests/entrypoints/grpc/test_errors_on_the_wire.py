"""Errors as clients see them."""

from collections.abc import Awaitable
from uuid import uuid4

import grpc
import pytest
import structlog
from google.rpc import error_details_pb2 as details

from kapda.api.catalog.v1 import catalog_service_pb2 as pb
from kapda.api.catalog.v1.catalog_service_pb2_grpc import CatalogServiceStub
from kapda.domain.shared import errors
from kapda.domain.shared.errors import DomainError, FieldViolation, Precondition, Reason
from tests.entrypoints.grpc.conftest import Behaviour, Refusal, Running, refusal

KINDS = [
    (errors.InvalidArgumentError, grpc.StatusCode.INVALID_ARGUMENT),
    (errors.UnauthenticatedError, grpc.StatusCode.UNAUTHENTICATED),
    (errors.PermissionDeniedError, grpc.StatusCode.PERMISSION_DENIED),
    (errors.NotFoundError, grpc.StatusCode.NOT_FOUND),
    (errors.AlreadyExistsError, grpc.StatusCode.ALREADY_EXISTS),
    (errors.FailedPreconditionError, grpc.StatusCode.FAILED_PRECONDITION),
    (errors.AbortedError, grpc.StatusCode.ABORTED),
    (errors.ResourceExhaustedError, grpc.StatusCode.RESOURCE_EXHAUSTED),
    (errors.UnavailableError, grpc.StatusCode.UNAVAILABLE),
]


def raising(error: BaseException) -> Behaviour:
    """A use case that fails so."""

    async def fail(_: object) -> None:
        raise error

    return fail


def get_product(served: Running, error: BaseException) -> Awaitable[Refusal]:
    """What a client gets when the use case raises."""
    served.use_cases.behaviours["get_product"] = raising(error)
    request = pb.GetProductRequest(product_id=str(uuid4()))
    return refusal(CatalogServiceStub(served.channel).GetProduct(request))


@pytest.mark.parametrize(("kind", "code"), KINDS)
async def test_each_kind_has_its_code_and_every_error_its_reason_and_request_id(
    served: Running, kind: type[DomainError], code: grpc.StatusCode
) -> None:
    refused = await get_product(served, kind(Reason.RATE_LIMITED, "no", metadata={"sku": "KP-1"}))
    assert (refused.code, refused.text) == (code, "no")
    assert (refused.info.reason, refused.info.domain) == ("RATE_LIMITED", "kapda.in")
    assert dict(refused.info.metadata) == {"sku": "KP-1"}
    assert refused.detail(details.RequestInfo).request_id == refused.metadata["x-request-id"]


@pytest.mark.parametrize("reason", list(Reason))
async def test_every_reason_crosses_the_wire_by_its_name(served: Running, reason: Reason) -> None:
    refused = await get_product(served, errors.UnavailableError(reason, "no"))
    assert refused.info.reason == reason.value


async def test_field_violations_arrive_with_their_paths(served: Running) -> None:
    violations = (FieldViolation("address.pin_code", "is not in KA"), FieldViolation("address.phone", "must be E.164"))
    error = errors.InvalidArgumentError(Reason.VALIDATION_FAILED, "the address is not valid", violations=violations)
    found = (await get_product(served, error)).detail(details.BadRequest).field_violations
    assert [(v.field, v.description) for v in found] == [(v.field, v.description) for v in violations]


async def test_preconditions_arrive_one_by_one(served: Running) -> None:
    facts = tuple(Precondition("INSUFFICIENT_STOCK", f"variants/{n}", "1 available, 2 requested") for n in range(3))
    error = errors.FailedPreconditionError(Reason.INSUFFICIENT_STOCK, "sold out", preconditions=facts)
    found = (await get_product(served, error)).detail(details.PreconditionFailure).violations
    assert [(v.type, v.subject) for v in found] == [(fact.type, fact.subject) for fact in facts]


async def test_a_precondition_without_facts_is_stated_by_its_reason(served: Running) -> None:
    refused = await get_product(served, errors.FailedPreconditionError(Reason.CART_EMPTY, "the cart is empty"))
    (only,) = refused.detail(details.PreconditionFailure).violations
    assert (only.type, only.description) == ("CART_EMPTY", "the cart is empty")


async def test_waiting_is_asked_for_where_it_helps(served: Running) -> None:
    unavailable = await get_product(served, errors.UnavailableError(Reason.GATEWAY_UNAVAILABLE, "no", retry_after=2.5))
    assert unavailable.detail(details.RetryInfo).retry_delay.ToMilliseconds() == 2500
    busy = await get_product(served, errors.AbortedError(Reason.REQUEST_IN_PROGRESS, "no"))
    assert busy.has(details.RetryInfo)
    stale = await get_product(served, errors.AbortedError(Reason.ETAG_MISMATCH, "no"))
    assert not stale.has(details.RetryInfo)


async def test_a_used_up_limit_is_a_quota_failure_with_a_time_to_wait(served: Running) -> None:
    refused = await get_product(served, errors.ResourceExhaustedError(Reason.RATE_LIMITED, "slow down"))
    assert refused.detail(details.QuotaFailure).violations[0].description == "slow down"
    assert refused.has(details.RetryInfo)


async def test_what_is_not_found_is_named(served: Running) -> None:
    error = errors.NotFoundError(Reason.PRODUCT_NOT_FOUND, "no such product", metadata={"product_id": "p-1"})
    resource = (await get_product(served, error)).detail(details.ResourceInfo)
    assert (resource.resource_type, resource.resource_name) == ("product", "p-1")


async def test_an_unauthenticated_message_is_short_ascii_for_a_header(served: Running) -> None:
    refused = await get_product(served, errors.UnauthenticatedError(Reason.TOKEN_EXPIRED, "कपड़ा " * 100))
    assert refused.text.isascii()
    assert len(refused.text) <= 120


async def test_long_texts_and_many_violations_are_cut_to_what_metadata_carries(served: Running) -> None:
    violations = tuple(FieldViolation(f"lines[{n}]." + "x" * 400, "₹" * 400) for n in range(100))
    metadata = {f"key_{n}": "v" * 1000 for n in range(40)}
    error = errors.InvalidArgumentError(Reason.VALIDATION_FAILED, "₹" * 2000, metadata=metadata, violations=violations)
    refused = await get_product(served, error)
    assert refused.code is grpc.StatusCode.INVALID_ARGUMENT
    assert len(refused.text.encode()) <= 512
    assert refused.status.ByteSize() + len(refused.text.encode()) < 8192 * 3 // 4
    assert refused.info.reason == "VALIDATION_FAILED"
    assert 0 < len(refused.detail(details.BadRequest).field_violations) <= 20


async def test_twenty_short_violations_all_fit(served: Running) -> None:
    violations = tuple(FieldViolation(f"lines[{n}].quantity", "must be at least 1") for n in range(30))
    error = errors.InvalidArgumentError(Reason.VALIDATION_FAILED, "not well-formed", violations=violations)
    assert len((await get_product(served, error)).detail(details.BadRequest).field_violations) == 20


async def test_an_unforeseen_exception_leaks_nothing_to_the_wire_nor_its_text_to_the_log(served: Running) -> None:
    secret = "postgres://kapda:hunter2@db/kapda"
    error = RuntimeError(secret)
    error.__cause__ = ValueError(f"inner {secret}")
    with structlog.testing.capture_logs() as lines:
        refused = await get_product(served, error)
    assert refused.code is grpc.StatusCode.INTERNAL
    assert refused.info.reason == "INTERNAL"
    assert refused.detail(details.RequestInfo).request_id in refused.text
    everything = repr(refused.error) + repr(refused.metadata) + str(refused.status)
    assert "hunter2" not in everything
    assert "RuntimeError" not in everything
    assert "hunter2" not in repr(lines)
    (failure,) = [line for line in lines if line["event"] == "call failed"]
    assert [link["type"] for link in failure["causes"]] == ["builtins.RuntimeError", "builtins.ValueError"]
    assert any("get_product" in frame or "fail" in frame for frame in failure["causes"][0]["frames"])


async def test_bytes_that_are_no_message_are_an_invalid_argument_and_nothing_is_told_of_the_parser(
    served: Running,
) -> None:
    method = "/kapda.api.catalog.v1.CatalogService/GetProduct"
    raw: grpc.aio.UnaryUnaryMultiCallable[bytes, bytes] = served.channel.unary_unary(method)
    refused = await refusal(raw(b"\xff\xff\xff"))
    assert refused.code is grpc.StatusCode.INVALID_ARGUMENT
    assert refused.info.reason == "VALIDATION_FAILED"
    assert "DecodeError" not in repr(refused.error)


async def test_a_request_above_the_size_limit_is_refused(served: Running) -> None:
    request = pb.SearchProductsRequest(query="x" * (300 * 1024))
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await CatalogServiceStub(served.channel).SearchProducts(request)
    assert caught.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
