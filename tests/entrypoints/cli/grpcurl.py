"""Plays the part of grpcurl that `kapda dev` prints lines for: it knows the services only by the server's reflection."""

import argparse
import sys

import grpc
from google.protobuf import json_format
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import ProtoReflectionDescriptorDatabase


def main() -> None:
    """`grpcurl -plaintext [-H header] [-d json] address list|method`."""
    parser = argparse.ArgumentParser(allow_abbrev=False)
    parser.add_argument("-plaintext", action="store_true", required=True)
    parser.add_argument("-H", dest="headers", action="append", default=[])
    parser.add_argument("-d", dest="body", default="{}")
    parser.add_argument("address")
    parser.add_argument("symbol")
    told = parser.parse_args()
    headers = (header.partition(":") for header in told.headers)
    metadata: tuple[tuple[str, str | bytes], ...] = tuple(
        (key.strip().lower(), text.strip()) for key, _, text in headers
    )
    with grpc.insecure_channel(told.address) as channel:
        reflection = ProtoReflectionDescriptorDatabase(channel)
        if told.symbol == "list":
            sys.stdout.write("".join(f"{name}\n" for name in sorted(reflection.get_services())))
            return
        sys.stdout.write(call(channel, DescriptorPool(reflection), told.symbol, told.body, metadata))


def call(
    channel: grpc.Channel, pool: DescriptorPool, symbol: str, body: str, metadata: tuple[tuple[str, str | bytes], ...]
) -> str:
    """The answer as JSON; the program ends with a message when the call is refused."""
    service, _, name = symbol.rpartition("/")
    method = pool.FindServiceByName(service).FindMethodByName(name)
    request = json_format.Parse(body, GetMessageClass(method.input_type)())
    invoke: grpc.UnaryUnaryMultiCallable[Message, Message] = channel.unary_unary(
        f"/{service}/{name}",
        request_serializer=lambda message: message.SerializeToString(),
        response_deserializer=GetMessageClass(method.output_type).FromString,
    )
    try:
        answer = invoke(request, metadata=metadata, timeout=10)
    except grpc.RpcError as error:
        sys.exit(f"ERROR: {error}")
    return json_format.MessageToJson(answer, indent=2) + "\n"


if __name__ == "__main__":
    main()
