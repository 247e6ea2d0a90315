"""InventoryService."""

# The contract names the methods, and grpc hands every one the same parameters.
# ruff: noqa: N802, ARG002

from uuid import UUID

from kapda.api.inventory.v1 import inventory_service_pb2 as pb
from kapda.api.inventory.v1.inventory_service_pb2_grpc import InventoryServiceServicer
from kapda.domain.inventory.availability import Availability
from kapda.domain.inventory.stock import StockLevel, StockMovement
from kapda.domain.inventory.use_cases.adjust_stock import AdjustStockCommand
from kapda.domain.inventory.use_cases.batch_receive_stock import BatchReceiveStockCommand, ReceivedBatch
from kapda.domain.inventory.use_cases.explain_availability import ExplainAvailabilityCommand
from kapda.domain.inventory.use_cases.get_stock import GetStockCommand
from kapda.domain.inventory.use_cases.list_stock_movements import ListStockMovementsCommand
from kapda.domain.inventory.use_cases.receive_stock import ReceiveStockCommand
from kapda.domain.inventory.use_cases.set_low_stock_threshold import SetLowStockThresholdCommand
from kapda.domain.inventory.use_cases.set_stock import SetStockCommand
from kapda.domain.shared.ids import RequestId, VariantId
from kapda.domain.shared.pages import Page
from kapda.domain.shared.request_log import Answer
from kapda.entrypoints.grpc.call import Context, caller, value_of
from kapda.entrypoints.grpc.page_tokens import PageTokens
from kapda.entrypoints.grpc.translate.inventory import (
    availability_to_proto,
    delivery_line_from_proto,
    movement_to_proto,
    stock_to_proto,
)
from kapda.entrypoints.use_case import UseCase


class InventoryServicer(InventoryServiceServicer):
    """Stock, for those who sell it."""

    def __init__(
        self,
        *,
        get_stock: UseCase[GetStockCommand, StockLevel],
        explain_availability: UseCase[ExplainAvailabilityCommand, Availability],
        receive_stock: UseCase[ReceiveStockCommand, Answer[StockLevel]],
        batch_receive_stock: UseCase[BatchReceiveStockCommand, Answer[ReceivedBatch]],
        set_stock: UseCase[SetStockCommand, Answer[StockLevel]],
        set_low_stock_threshold: UseCase[SetLowStockThresholdCommand, Answer[StockLevel]],
        adjust_stock: UseCase[AdjustStockCommand, Answer[StockLevel]],
        list_stock_movements: UseCase[ListStockMovementsCommand, Page[StockMovement]],
        page_tokens: PageTokens,
    ) -> None:
        self._get_stock = get_stock
        self._explain_availability = explain_availability
        self._receive_stock = receive_stock
        self._batch_receive_stock = batch_receive_stock
        self._set_stock = set_stock
        self._set_low_stock_threshold = set_low_stock_threshold
        self._adjust_stock = adjust_stock
        self._list_stock_movements = list_stock_movements
        self._page_tokens = page_tokens

    async def GetStock(self, request: pb.GetStockRequest, context: Context) -> pb.GetStockResponse:
        """The counters of a variant."""
        level = await self._get_stock.execute(GetStockCommand(caller(), VariantId(UUID(request.variant_id))))
        return pb.GetStockResponse(stock=stock_to_proto(level))

    async def ExplainAvailability(
        self, request: pb.ExplainAvailabilityRequest, context: Context
    ) -> pb.ExplainAvailabilityResponse:
        """Why a variant can or cannot be bought."""
        found = await self._explain_availability.execute(
            ExplainAvailabilityCommand(caller(), VariantId(UUID(request.variant_id)))
        )
        return pb.ExplainAvailabilityResponse(availability=availability_to_proto(found))

    async def ReceiveStock(self, request: pb.ReceiveStockRequest, context: Context) -> pb.ReceiveStockResponse:
        """Pieces arrive."""
        answer = await self._receive_stock.execute(
            ReceiveStockCommand(
                principal=caller(),
                request_id=RequestId(UUID(request.request_id)),
                variant_id=VariantId(UUID(request.variant_id)),
                quantity=request.quantity,
                reason=request.reason,
            )
        )
        return pb.ReceiveStockResponse(stock=stock_to_proto(value_of(answer)))

    async def BatchReceiveStock(
        self, request: pb.BatchReceiveStockRequest, context: Context
    ) -> pb.BatchReceiveStockResponse:
        """A delivery of many variants arrives."""
        answer = await self._batch_receive_stock.execute(
            BatchReceiveStockCommand(
                principal=caller(),
                request_id=RequestId(UUID(request.request_id)),
                lines=tuple(delivery_line_from_proto(line) for line in request.lines),
                reason=request.reason,
            )
        )
        return pb.BatchReceiveStockResponse(stocks=[stock_to_proto(level) for level in value_of(answer).levels])

    async def SetStock(self, request: pb.SetStockRequest, context: Context) -> pb.SetStockResponse:
        """Somebody counted."""
        answer = await self._set_stock.execute(
            SetStockCommand(
                principal=caller(),
                request_id=RequestId(UUID(request.request_id)),
                variant_id=VariantId(UUID(request.variant_id)),
                on_hand=request.on_hand,
                etag=request.etag,
                reason=request.reason,
            )
        )
        return pb.SetStockResponse(stock=stock_to_proto(value_of(answer)))

    async def SetLowStockThreshold(
        self, request: pb.SetLowStockThresholdRequest, context: Context
    ) -> pb.SetLowStockThresholdResponse:
        """A house says when it wants to hear."""
        answer = await self._set_low_stock_threshold.execute(
            SetLowStockThresholdCommand(
                principal=caller(),
                request_id=RequestId(UUID(request.request_id)),
                variant_id=VariantId(UUID(request.variant_id)),
                threshold=request.low_stock_threshold,
            )
        )
        return pb.SetLowStockThresholdResponse(stock=stock_to_proto(value_of(answer)))

    async def AdjustStock(self, request: pb.AdjustStockRequest, context: Context) -> pb.AdjustStockResponse:
        """Pieces too many or too few were found."""
        answer = await self._adjust_stock.execute(
            AdjustStockCommand(
                principal=caller(),
                request_id=RequestId(UUID(request.request_id)),
                variant_id=VariantId(UUID(request.variant_id)),
                delta=request.delta,
                reason=request.reason,
                etag=request.etag or None,
            )
        )
        return pb.AdjustStockResponse(stock=stock_to_proto(value_of(answer)))

    async def ListStockMovements(
        self, request: pb.ListStockMovementsRequest, context: Context
    ) -> pb.ListStockMovementsResponse:
        """A page of movements, the newest first."""
        principal = caller()
        wanted = self._page_tokens.page_of(request, request.page_size, request.page_token, principal.user_id)
        page = await self._list_stock_movements.execute(
            ListStockMovementsCommand(principal, VariantId(UUID(request.variant_id)), wanted)
        )
        return pb.ListStockMovementsResponse(
            movements=[movement_to_proto(movement) for movement in page.items],
            next_page_token=self._page_tokens.next_token(request, page.next_cursor, principal.user_id),
        )
