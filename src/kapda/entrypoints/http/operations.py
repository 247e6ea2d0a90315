"""What an operator's machines ask every process: does it live, can it work, what has it counted.

`/api/health` looks at nothing but the process itself: a process is not restarted because its database is. `/api/ready`
asks what it depends on, really. `/metrics` is for the inside; the edge does not route it.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from http import HTTPStatus

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from kapda.entrypoints.http.answers import json_answer, refusal

HEALTH_PATH = "/api/health"
READY_PATH = "/api/ready"
METRICS_PATH = "/metrics"
OPERATIONS_PATHS = frozenset({HEALTH_PATH, READY_PATH, METRICS_PATH})
# A dependency that takes longer cannot carry the work either.
PROBE_SECONDS = 1.0

# Whether the dependency answers; raising is as good as a no.
Probe = Callable[[], Awaitable[bool]]


class Readiness:
    """Asks every dependency at once, each at most once at a time however many ask."""

    def __init__(self, probes: Mapping[str, Probe], seconds: float = PROBE_SECONDS) -> None:
        self._probes = probes
        self._seconds = seconds
        self._asking: dict[str, asyncio.Task[bool]] = {}

    async def failing(self) -> tuple[str, ...]:
        """The names of the dependencies that do not answer, or not in time; none when all is well."""
        tasks = {name: self._asking.get(name) or self._ask(name) for name in self._probes}
        if tasks:
            await asyncio.wait(tasks.values(), timeout=self._seconds)
        # What hangs is given up but not waited for: giving up may hang as well.
        late = [name for name, task in tasks.items() if not task.done()]
        for name in late:
            tasks[name].cancel()
        return tuple(name for name, task in tasks.items() if name in late or _failed(task))

    def _ask(self, name: str) -> asyncio.Task[bool]:
        async def ask() -> bool:
            return await self._probes[name]()

        task = asyncio.create_task(ask(), name=f"probe {name}")
        self._asking[name] = task
        task.add_done_callback(lambda _: self._asking.pop(name))
        # The outcome of one that was given up is nobody's any more.
        task.add_done_callback(_failed)
        return task


def operations_routes(readiness: Readiness, registry: CollectorRegistry) -> list[Route]:
    """The three routes."""

    async def health(_: Request) -> Response:
        return json_answer({"status": "ok"})

    async def ready(request: Request) -> Response:
        failing = await readiness.failing()
        if not failing:
            return json_answer({"status": "ready"})
        text = f"not ready: {', '.join(failing)}"
        return refusal(HTTPStatus.SERVICE_UNAVAILABLE, "NOT_READY", text, request.state.request_id, retry_after=1)

    async def metrics(_: Request) -> Response:
        return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)

    return [
        Route(HEALTH_PATH, health, methods=["GET"]),
        Route(READY_PATH, ready, methods=["GET"]),
        Route(METRICS_PATH, metrics, methods=["GET"]),
    ]


def _failed(task: asyncio.Task[bool]) -> bool:
    return task.cancelled() or task.exception() is not None or not task.result()
