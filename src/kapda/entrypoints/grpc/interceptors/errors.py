"""The one place where an exception becomes a status. What is not ours to tell is not told."""

from typing import NoReturn

import grpc
from google.rpc import status_pb2

from kapda.domain.shared.errors import DomainError
from kapda.entrypoints import log
from kapda.entrypoints.grpc.call import Context, current
from kapda.entrypoints.grpc.error_details import plain_status, status_of
from kapda.entrypoints.grpc.interceptors.unary import Proceed, UnaryInterceptor
from kapda.entrypoints.supervisor import DeadlineExceededError
from kapda.entrypoints.telemetry import describe

# Where gRPC's own libraries look for the google.rpc.Status.
DETAILS_KEY = "grpc-status-details-bin"

_CODES = {code.value[0]: code for code in grpc.StatusCode}


class Errors(UnaryInterceptor):
    """Maps a domain error to its code and details, and everything else to INTERNAL without a word of it.

    grpc itself would send the type and the text of an unhandled exception to the client.
    """

    async def around(self, method: str, request: bytes, context: Context, proceed: Proceed, /) -> bytes:
        """Serve the call or refuse it in the one error shape. Cancellation passes through."""
        request_id = current().request_id
        try:
            return await proceed(request, context)
        except DomainError as error:
            await _refuse(context, status_of(error, request_id))
        except DeadlineExceededError:
            code = grpc.StatusCode.DEADLINE_EXCEEDED
            text = "the call took too long; send the same request again"
            await _refuse(context, plain_status(code, code.name, text, request_id))
        except Exception as error:  # noqa: BLE001 - whatever it is, its text must not reach the client
            log.error("call failed", method=method, request_id=request_id, causes=describe(error))
            code = grpc.StatusCode.INTERNAL
            await _refuse(context, plain_status(code, code.name, f"internal error, request {request_id}", request_id))


async def _refuse(context: Context, status: status_pb2.Status) -> NoReturn:
    # abort replaces the trailing metadata set before, so all of it goes with the call.
    own: tuple[tuple[str, str | bytes], ...] = current().trailing_metadata()
    metadata = (*own, (DETAILS_KEY, status.SerializeToString()))
    await context.abort(_CODES[status.code], status.message, metadata)
