"""One structured line for each call: who called what, how it ended, how long it took. Never a body, never a token."""

import asyncio
from time import perf_counter

import grpc

from kapda.domain.shared.errors import DomainError
from kapda.entrypoints import log
from kapda.entrypoints.grpc.call import Context, current
from kapda.entrypoints.grpc.error_details import CODES
from kapda.entrypoints.grpc.interceptors.unary import Proceed, UnaryInterceptor
from kapda.entrypoints.supervisor import DeadlineExceededError


class CallLog(UnaryInterceptor):
    """Writes the line, also for a call that is refused, fails or is cancelled."""

    async def around(self, method: str, request: bytes, context: Context, proceed: Proceed, /) -> bytes:
        """Serve the call and write its line."""
        started = perf_counter()
        code, reason = grpc.StatusCode.OK, None
        try:
            return await proceed(request, context)
        except BaseException as error:
            code, reason = _outcome(error)
            raise
        finally:
            call = current()
            log.info(
                "call",
                method=method,
                request_id=call.request_id,
                principal_id=call.caller_id,
                code=code.name,
                reason=reason,
                replayed=call.replayed,
                duration_ms=round((perf_counter() - started) * 1000, 2),
            )


def _outcome(error: BaseException) -> tuple[grpc.StatusCode, str | None]:
    match error:
        case DomainError():
            return CODES[error.kind], error.reason.value
        case DeadlineExceededError():
            return grpc.StatusCode.DEADLINE_EXCEEDED, grpc.StatusCode.DEADLINE_EXCEEDED.name
        case asyncio.CancelledError():
            return grpc.StatusCode.CANCELLED, None
        case _:
            return grpc.StatusCode.INTERNAL, grpc.StatusCode.INTERNAL.name
