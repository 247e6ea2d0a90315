"""Asks processes whether they are ready, as a load balancer would."""

from typing import Final

import grpc
import httpx
from grpc_health.v1 import health_pb2

_TIMEOUT_SECONDS: Final = 1.0


def http_is_ready(url: str) -> bool:
    """Return whether a GET of `url` answers 200."""
    try:
        with httpx.Client(trust_env=False, timeout=_TIMEOUT_SECONDS) as client:
            return client.get(url).status_code == httpx.codes.OK
    except httpx.HTTPError:
        return False


def grpc_is_ready(address: str) -> bool:
    """Return whether the health service at `address` (host:port) says SERVING for the whole server."""
    with grpc.insecure_channel(address, options=[("grpc.enable_http_proxy", 0)]) as channel:
        # The generated stub has no types for its methods.
        check = channel.unary_unary(
            "/grpc.health.v1.Health/Check",
            request_serializer=health_pb2.HealthCheckRequest.SerializeToString,
            response_deserializer=health_pb2.HealthCheckResponse.FromString,
        )
        try:
            answer = check(health_pb2.HealthCheckRequest(), timeout=_TIMEOUT_SECONDS)
        except grpc.RpcError:
            return False
        return bool(answer.status == health_pb2.HealthCheckResponse.SERVING)
