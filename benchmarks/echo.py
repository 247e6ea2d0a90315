"""A service of the bench's own that does nothing, once for anybody and once for whoever signed in.

Its two methods differ in nothing but their access rule, so what the server burns for the one beyond the other is what it
costs to know who calls. No method of the contract has such a twin. It is described here and not in proto/, because it
is no part of the contract.
"""

from typing import Any, Final

import grpc
from google.protobuf import descriptor_pb2, descriptor_pool, empty_pb2
from google.protobuf.descriptor import ServiceDescriptor

from kapda.api.common.v1 import access_pb2
from kapda.entrypoints.grpc.services import Service

_PACKAGE: Final = "kapda.bench.v1"
_NAME: Final = f"{_PACKAGE}.EchoService"
OPEN: Final = f"/{_NAME}/Open"
SIGNED_IN: Final = f"/{_NAME}/SignedIn"


class EchoServicer:
    """Both methods."""

    async def open(self, _request: empty_pb2.Empty, _context: object) -> empty_pb2.Empty:
        """For anybody."""
        return empty_pb2.Empty()

    async def signed_in(self, _request: empty_pb2.Empty, _context: object) -> empty_pb2.Empty:
        """For whoever signed in."""
        return empty_pb2.Empty()


def echo_service() -> Service:
    """The service as a server of kapda wants it."""
    return Service(_descriptor(), EchoServicer, _add)


def _descriptor() -> ServiceDescriptor:
    file = descriptor_pb2.FileDescriptorProto(
        name="kapda/bench/v1/echo_service.proto",
        package=_PACKAGE,
        syntax="proto3",
        dependency=[empty_pb2.DESCRIPTOR.name, access_pb2.DESCRIPTOR.name],
    )
    service = file.service.add(name="EchoService")
    empty = f".{empty_pb2.Empty.DESCRIPTOR.full_name}"
    for name, audience in (("Open", access_pb2.AUDIENCE_PUBLIC), ("SignedIn", access_pb2.AUDIENCE_SIGNED_IN)):
        method = service.method.add(name=name, input_type=empty, output_type=empty)
        method.options.Extensions[access_pb2.access].audience = audience
    pool = descriptor_pool.Default()
    pool.Add(file)
    return pool.FindServiceByName(_NAME)


def _add(servicer: Any, server: grpc.aio.Server) -> None:
    handlers = {
        name: grpc.unary_unary_rpc_method_handler(
            answer,
            request_deserializer=empty_pb2.Empty.FromString,
            response_serializer=empty_pb2.Empty.SerializeToString,
        )
        for name, answer in (("Open", servicer.open), ("SignedIn", servicer.signed_in))
    }
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(_NAME, handlers),))
