"""OpsService."""

# The contract names the methods, and grpc hands every one the same parameters.
# ruff: noqa: N802, ARG002

from typing import Protocol

from kapda.api.ops.v1 import ops_service_pb2 as pb
from kapda.api.ops.v1.ops_service_pb2_grpc import OpsServiceServicer
from kapda.domain.ops.use_cases.check_promises import PromiseReport
from kapda.domain.ops.use_cases.list_open_cases import ListOpenCasesCommand
from kapda.domain.payments.payment import PaymentCase
from kapda.domain.shared.pages import Page
from kapda.entrypoints.grpc.call import Context, caller
from kapda.entrypoints.grpc.page_tokens import PageTokens
from kapda.entrypoints.grpc.translate.ops import case_to_proto, promise_to_proto
from kapda.entrypoints.grpc.translate.values import timestamp
from kapda.entrypoints.grpc.use_case import UseCase


class PromiseCheck(Protocol):
    """The one use case that asks for nothing."""

    async def execute(self) -> PromiseReport:
        """Every promise."""
        ...


class OpsServicer(OpsServiceServicer):
    """What the people who run the marketplace look at."""

    def __init__(
        self,
        *,
        check_promises: PromiseCheck,
        list_open_cases: UseCase[ListOpenCasesCommand, Page[PaymentCase]],
        page_tokens: PageTokens,
    ) -> None:
        self._check_promises = check_promises
        self._list_open_cases = list_open_cases
        self._page_tokens = page_tokens

    async def CheckPromises(self, request: pb.CheckPromisesRequest, context: Context) -> pb.CheckPromisesResponse:
        """Every promise, recomputed."""
        report = await self._check_promises.execute()
        return pb.CheckPromisesResponse(
            promises=[promise_to_proto(result) for result in report.results], check_time=timestamp(report.checked_at)
        )

    async def ListOpenCases(self, request: pb.ListOpenCasesRequest, context: Context) -> pb.ListOpenCasesResponse:
        """A page of open cases, the oldest first."""
        owner = caller().user_id
        wanted = self._page_tokens.page_of(request, request.page_size, request.page_token, owner)
        page = await self._list_open_cases.execute(ListOpenCasesCommand(wanted))
        return pb.ListOpenCasesResponse(
            cases=[case_to_proto(case) for case in page.items],
            next_page_token=self._page_tokens.next_token(request, page.next_cursor, owner),
        )
