"""OpsService."""

# The contract names the methods, and grpc hands every one the same parameters.
# ruff: noqa: N802, ARG002

from typing import Protocol
from uuid import UUID

from kapda.api.ops.v1 import ops_service_pb2 as pb
from kapda.api.ops.v1.ops_service_pb2_grpc import OpsServiceServicer
from kapda.domain.ops.use_cases.check_promises import PromiseReport
from kapda.domain.ops.use_cases.list_open_cases import ListOpenCasesCommand
from kapda.domain.orders.use_cases.resolve_case import ResolveCaseCommand
from kapda.domain.payments.payment_case import PaymentCase
from kapda.domain.shared.ids import CaseId, RequestId
from kapda.domain.shared.pages import Page
from kapda.domain.shared.request_log import Answer
from kapda.entrypoints.grpc.call import Context, caller, proof, value_of
from kapda.entrypoints.grpc.page_tokens import PageTokens
from kapda.entrypoints.grpc.translate.ops import case_to_proto, promise_to_proto, resolution_from_proto
from kapda.entrypoints.grpc.translate.values import timestamp
from kapda.entrypoints.supervisor import Supervisor
from kapda.entrypoints.use_case import UseCase


class PromiseCheck(Protocol):
    """The one use case that asks for nothing."""

    async def execute(self) -> PromiseReport:
        """Every promise."""
        ...


class OpsServicer(OpsServiceServicer):
    """What the people who run the marketplace look at and decide. A decision moves money, so it does not end with its
    caller."""

    def __init__(
        self,
        *,
        check_promises: PromiseCheck,
        list_open_cases: UseCase[ListOpenCasesCommand, Page[PaymentCase]],
        resolve_case: UseCase[ResolveCaseCommand, Answer[PaymentCase]],
        supervisor: Supervisor,
        page_tokens: PageTokens,
    ) -> None:
        self._check_promises = check_promises
        self._list_open_cases = list_open_cases
        self._resolve_case = resolve_case
        self._supervisor = supervisor
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

    async def ResolveCase(self, request: pb.ResolveCaseRequest, context: Context) -> pb.ResolveCaseResponse:
        """End a case."""
        command = ResolveCaseCommand(
            principal=caller(),
            proof=proof(),
            request_id=RequestId(UUID(request.request_id)),
            case_id=CaseId(UUID(request.case_id)),
            resolution=resolution_from_proto(request.resolution),
            reason=request.reason,
        )
        answer = await self._supervisor.run("ResolveCase", lambda: self._resolve_case.execute(command))
        return pb.ResolveCaseResponse(case=case_to_proto(value_of(answer)))
