"""InventoryService."""

# The contract names the methods, and grpc hands every one the same parameters.
# ruff: noqa: N802, ARG002

from uuid import UUID

from kapda.api.inventory.v1 import inventory_service_pb2 as pb
from kapda.api.inventory.v1.inventory_service_pb2_grpc import InventoryServiceServicer
from kapda.domain.inventory.stock import StockLevel, StockMovement
from kapda.domain.inventory.use_cases.adjust_stock import AdjustStockCommand
from kapda.domain.inventory.use_cases.get_stock import GetStockCommand
from kapda.domain.inventory.use_cases.list_stock_movements import ListStockMovementsCommand
from kapda.domain.inventory.use_cases.receive_stock import ReceiveStockCommand
from kapda.domain.shared.ids import RequestId, VariantId
from kapda.domain.shared.pages import Page
from kapda.domain.shared.request_log import Answer
from kapda.entrypoints.grpc.call import Context, caller, value_of
from kapda.entrypoints.grpc.page_tokens import PageTokens
from kapda.entrypoints.grpc.translate.inventory import movement_to_proto, stock_to_proto
from kapda.entrypoints.grpc.use_case import UseCase


class InventoryServicer(InventoryServiceServicer):
    """Stock, for those who sell it."""

    def __init__(
        self,
        *,
        get_stock: UseCase[GetStockCommand, StockLevel],
        receive_stock: UseCase[ReceiveStockCommand, Answer[StockLevel]],
        adjust_stock: UseCase[AdjustStockCommand, Answer[StockLevel]],
        list_stock_movements: UseCase[ListStockMovementsCommand, Page[StockMovement]],
        page_tokens: PageTokens,
    ) -> None:
        self._get_stock = get_stock
        self._receive_stock = receive_stock
        self._adjust_stock = adjust_stock
        self._list_stock_movements = list_stock_movements
        self._page_tokens = page_tokens

    async def GetStock(self, request: pb.GetStockRequest, context: Context) -> pb.GetStockResponse:
        """The counters of a variant."""
        level = await self._get_stock.execute(GetStockCommand(caller(), VariantId(UUID(request.variant_id))))
        return pb.GetStockResponse(stock=stock_to_proto(level))

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

    async def AdjustStock(self, request: pb.AdjustStockRequest, context: Context) -> pb.AdjustStockResponse:
        """Somebody counted."""
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
