"""How often one may call: by what calls are counted, and what the one too many is told."""

from uuid import uuid4

import grpc
from google.rpc import error_details_pb2 as details
from grpc_health.v1 import health_pb2

from kapda.api.catalog.v1.catalog_service_pb2 import GetProductRequest
from kapda.api.catalog.v1.catalog_service_pb2_grpc import CatalogServiceStub
from kapda.api.identity.v1 import identity_service_pb2 as pb
from kapda.api.identity.v1.identity_service_pb2_grpc import IdentityServiceStub
from kapda.domain.shared.errors import Reason, UnauthenticatedError
from tests.entrypoints.grpc import samples
from tests.entrypoints.grpc.conftest import CUSTOMER, OTHER_CUSTOMER, PRINCIPALS, Running, Start, as_caller, refusal
from tests.entrypoints.grpc.test_calls import health_of
from tests.fakes.rate_limits import CountedCalls

HERE = "127.0.0.0/24"
SIGN_UP = "/kapda.api.identity.v1.IdentityService/SignUp"


def answering(served: Running) -> Running:
    """The same, with answers."""

    async def nobody(_: object) -> object:
        raise UnauthenticatedError(Reason.CREDENTIALS_INVALID, "no")

    async def product(_: object) -> object:
        return samples.PRODUCT

    async def user(_: object) -> object:
        return samples.USER

    served.use_cases.behaviours.update(sign_up=nobody, log_in=nobody, get_product=product, get_me=user)
    return served


def sign_up(served: Running, email: str) -> grpc.aio.UnaryUnaryCall[pb.SignUpRequest, pb.SignUpResponse]:
    request = pb.SignUpRequest(email=email, password="Blue-kurta-9", display_name="Asha")
    return IdentityServiceStub(served.channel).SignUp(request)


async def test_the_call_too_many_is_told_how_long_to_wait(start: Start) -> None:
    served = answering(await start(rate_limits=CountedCalls({"caller": 1})))
    stub = IdentityServiceStub(served.channel)
    await stub.GetMe(pb.GetMeRequest(), metadata=as_caller(CUSTOMER))
    refused = await refusal(stub.GetMe(pb.GetMeRequest(), metadata=as_caller(CUSTOMER)))
    assert refused.code is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert refused.info.reason == "RATE_LIMITED"
    assert dict(refused.info.metadata) == {"limit": "caller", "retry_after_seconds": "43"}
    assert refused.detail(details.RetryInfo).retry_delay.ToSeconds() == 43
    assert refused.detail(details.QuotaFailure).violations[0].subject == "RATE_LIMITED"
    await stub.GetMe(pb.GetMeRequest(), metadata=as_caller(OTHER_CUSTOMER))


async def test_who_signed_in_is_counted_by_account_and_everybody_else_by_network(start: Start) -> None:
    limits = CountedCalls()
    served = answering(await start(rate_limits=limits))
    await IdentityServiceStub(served.channel).GetMe(pb.GetMeRequest(), metadata=as_caller(CUSTOMER))
    await CatalogServiceStub(served.channel).GetProduct(GetProductRequest(product_id=str(uuid4())))
    assert limits.taken == {("caller", str(PRINCIPALS[CUSTOMER].user_id)): 1, ("network", HERE): 1}


async def test_sign_up_is_counted_by_address_in_any_spelling_and_by_network(start: Start) -> None:
    limits = CountedCalls({"auth": 2})
    served = answering(await start(rate_limits=limits))
    assert (await refusal(sign_up(served, "asha@example.in"))).info.reason == "CREDENTIALS_INVALID"
    assert (await refusal(sign_up(served, "Asha@Example.in"))).info.reason == "CREDENTIALS_INVALID"
    assert (await refusal(sign_up(served, "ASHA@example.in"))).info.reason == "RATE_LIMITED"
    assert (await refusal(sign_up(served, "binod@example.in"))).info.reason == "CREDENTIALS_INVALID"
    assert limits.taken["auth", f"{SIGN_UP} digest of asha@example.in {HERE}"] == 2
    assert limits.taken["auth_network", HERE] == 4


async def test_log_in_counts_failures_itself_and_shares_the_networks_limit(start: Start) -> None:
    limits = CountedCalls({"auth": 0, "auth_network": 3})
    served = answering(await start(rate_limits=limits))
    log_in = IdentityServiceStub(served.channel).LogIn
    reasons = [
        (await refusal(log_in(pb.LogInRequest(email="asha@example.in", password="guess")))).info.reason
        for _ in range(4)
    ]
    assert reasons == ["CREDENTIALS_INVALID"] * 3 + ["RATE_LIMITED"]


async def test_what_is_no_message_is_refused_as_such(start: Start) -> None:
    served = await start()
    raw: grpc.aio.UnaryUnaryMultiCallable[bytes, bytes] = served.channel.unary_unary(SIGN_UP)
    assert (await refusal(raw(b"\xff\xff"))).info.reason == "VALIDATION_FAILED"


async def test_health_is_not_counted(start: Start) -> None:
    limits = CountedCalls({"network": 0, "caller": 0})
    served = await start(rate_limits=limits)
    assert await health_of(served) == health_pb2.HealthCheckResponse.SERVING
    assert limits.taken == {}
