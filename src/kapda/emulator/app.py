"""Puts one emulator together."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from http import HTTPStatus

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount

from kapda.emulator.announcer import Announcer
from kapda.emulator.books import Books
from kapda.emulator.clock import Clock, StillClock, SystemClock
from kapda.emulator.courier import Courier
from kapda.emulator.errors import SERVER_ERROR, ApiError, not_applicable
from kapda.emulator.faults import Faults
from kapda.emulator.http_api import Api
from kapda.emulator.http_body import answer
from kapda.emulator.http_control import Control
from kapda.emulator.http_faults import FaultyCalls
from kapda.emulator.http_switches import Switches
from kapda.emulator.ids import Ids
from kapda.emulator.merchant import Merchant
from kapda.emulator.refunds import Refunds
from kapda.emulator.settings import EmulatorSettings
from kapda.emulator.shopper import Shopper
from kapda.emulator.timeline import Timeline


def create_app(settings: EmulatorSettings, clock: Clock | None = None) -> Starlette:
    """Returns the ASGI application of a fresh emulator: /v1 is Razorpay's API, /emulator the controls."""
    timeline = Timeline(clock or _clock(settings))
    ids = Ids(settings.seed)
    books = Books()
    faults = Faults(books=books, clock=timeline, seed=settings.seed)
    courier = Courier(settings, timeline, faults)
    announcer = Announcer(account_id=settings.account_id, courier=courier, faults=faults, ids=ids, clock=timeline)
    merchant = Merchant(
        books=books,
        announcer=announcer,
        ids=ids,
        clock=timeline,
        auto_capture=settings.auto_capture,
        enforce_unique_receipts=settings.enforce_unique_receipts,
    )
    refunds = Refunds(
        books=books,
        announcer=announcer,
        ids=ids,
        timeline=timeline,
        faults=faults,
        stay_pending=settings.refunds_stay_pending,
    )
    shopper = Shopper(
        books=books,
        merchant=merchant,
        refunds=refunds,
        announcer=announcer,
        ids=ids,
        timeline=timeline,
        faults=faults,
        key_secret=settings.key_secret,
    )
    faulty = FaultyCalls(faults=faults, books=books, clock=timeline)
    api = Api(
        books=books,
        merchant=merchant,
        refunds=refunds,
        faulty=faulty,
        key_id=settings.key_id,
        key_secret=settings.key_secret,
    )
    control = Control(books=books, refunds=refunds, shopper=shopper, courier=courier)
    switches = Switches(faults=faults, timeline=timeline, courier=courier)

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        yield
        timeline.close()
        await courier.close()

    return Starlette(
        routes=[Mount("/v1", routes=api.routes()), Mount("/emulator", routes=[*control.routes(), *switches.routes()])],
        exception_handlers={
            HTTPStatus.NOT_FOUND: _url_not_found,
            HTTPStatus.METHOD_NOT_ALLOWED: _url_not_found,
            Exception: _broken,
        },
        lifespan=lifespan,
    )


def _clock(settings: EmulatorSettings) -> Clock:
    return SystemClock() if settings.clock_start is None else StillClock(settings.clock_start)


async def _url_not_found(request: Request, error: Exception) -> Response:  # noqa: ARG001 - Starlette's form of a handler
    # Razorpay says 400 to a wrong path as to a wrong method.
    return answer(not_applicable("The requested URL was not found on the server.").body(), HTTPStatus.BAD_REQUEST)


async def _broken(request: Request, error: Exception) -> Response:  # noqa: ARG001 - Starlette's form of a handler
    refusal = ApiError("The server encountered an error.", code=SERVER_ERROR, reason="server_error")
    return answer(refusal.body(), HTTPStatus.INTERNAL_SERVER_ERROR)
