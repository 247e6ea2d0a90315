"""How often one may call: by what calls are counted, and what the one too many is told."""

from ipaddress import ip_network
from uuid import uuid4

import grpc
from google.rpc import error_details_pb2 as details
from grpc_health.v1 import health_pb2

from kapda.api.catalog.v1.catalog_service_pb2 import GetProductRequest
from kapda.api.catalog.v1.catalog_service_pb2_grpc import CatalogServiceStub
from kapda.api.identity.v1 import identity_service_pb2 as pb
from kapda.api.identity.v1 import profile_service_pb2 as profile
from kapda.api.identity.v1.identity_service_pb2_grpc import IdentityServiceStub
from kapda.api.identity.v1.profile_service_pb2_grpc import ProfileServiceStub
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


async def test_a_refresh_is_counted_by_its_token_wherever_it_comes_from(start: Start) -> None:
    limits = CountedCalls({"refresh": 2})
    served = await start(rate_limits=limits, trusted_proxies=[ip_network("127.0.0.0/8")])

    async def unknown(_: object) -> object:
        raise UnauthenticatedError(Reason.REFRESH_TOKEN_INVALID, "no")

    served.use_cases.behaviours["refresh_session"] = unknown

    async def refresh(token: str, address: str) -> str:
        call = IdentityServiceStub(served.channel).RefreshSession(
            pb.RefreshSessionRequest(refresh_token=token), metadata=(("x-forwarded-for", address),)
        )
        return (await refusal(call)).info.reason

    reasons = [await refresh("stolen", f"10.0.{number}.9") for number in range(3)]
    assert reasons == ["REFRESH_TOKEN_INVALID", "REFRESH_TOKEN_INVALID", "RATE_LIMITED"]
    assert await refresh("another", "10.0.2.9") == "REFRESH_TOKEN_INVALID"
    assert limits.taken["refresh", "digest of stolen"] == 2
    assert limits.taken["auth_network", "10.0.2.0/24"] == 2


async def test_what_costs_much_is_counted_by_caller_on_top_of_everything_else(start: Start) -> None:
    limits = CountedCalls({"expensive": 1})
    served = answering(await start(rate_limits=limits))

    async def document(_: object) -> object:
        return "{}"

    served.use_cases.behaviours["export_my_data"] = document
    export = ProfileServiceStub(served.channel).ExportMyData
    await export(profile.ExportMyDataRequest(), metadata=as_caller(CUSTOMER))
    refused = await refusal(export(profile.ExportMyDataRequest(), metadata=as_caller(CUSTOMER)))
    assert (refused.info.reason, refused.info.metadata["limit"]) == ("RATE_LIMITED", "expensive")
    await export(profile.ExportMyDataRequest(), metadata=as_caller(OTHER_CUSTOMER))
    await IdentityServiceStub(served.channel).GetMe(pb.GetMeRequest(), metadata=as_caller(CUSTOMER))
    assert limits.taken["caller", str(PRINCIPALS[CUSTOMER].user_id)] == 3


async def test_what_is_no_message_is_refused_as_such(start: Start) -> None:
    served = await start()
    raw: grpc.aio.UnaryUnaryMultiCallable[bytes, bytes] = served.channel.unary_unary(SIGN_UP)
    assert (await refusal(raw(b"\xff\xff"))).info.reason == "VALIDATION_FAILED"


async def test_health_is_not_counted(start: Start) -> None:
    limits = CountedCalls({"network": 0, "caller": 0})
    served = await start(rate_limits=limits)
    assert await health_of(served) == health_pb2.HealthCheckResponse.SERVING
    assert limits.taken == {}
