"""Asks processes whether they are ready, as a load balancer would.

They are asked a hundred times a second while they start on the same cores, so a question to a closed port costs no more
than the attempt to connect.
"""

import socket
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException
from typing import Final
from urllib.parse import urlsplit

import grpc
from grpc_health.v1 import health_pb2

_TIMEOUT_SECONDS: Final = 1.0


def http_is_ready(url: str) -> bool:
    """Return whether a GET of `url` (http only) answers 200."""
    parts = urlsplit(url)
    connection = HTTPConnection(parts.netloc, timeout=_TIMEOUT_SECONDS)
    try:
        connection.request("GET", parts.path)
        return connection.getresponse().status == HTTPStatus.OK
    except (OSError, HTTPException):
        return False
    finally:
        connection.close()


def grpc_is_ready(address: str) -> bool:
    """Return whether the health service at `address` (host:port) says SERVING for the whole server."""
    if not _listens(address):
        return False
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


def _listens(address: str) -> bool:
    host, _, port = address.rpartition(":")
    try:
        with socket.create_connection((host.strip("[]"), int(port)), timeout=_TIMEOUT_SECONDS):
            return True
    except OSError:
        return False
