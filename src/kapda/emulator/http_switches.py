"""The endpoints under /emulator that make things go wrong, and the one that makes time pass."""

from typing import Annotated

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from kapda.emulator.courier import Courier
from kapda.emulator.fault_kinds import AnyFault, Fault
from kapda.emulator.faults import Faults
from kapda.emulator.http_body import Endpoint, answer, guarded, read_as, read_with
from kapda.emulator.timeline import Timeline

_LONGEST_ADVANCE = 366 * 24 * 60 * 60
_ONE_FAULT: msgspec.json.Decoder[Fault] = msgspec.json.Decoder(AnyFault)
_FAULTS: msgspec.json.Decoder[list[Fault]] = msgspec.json.Decoder(list[AnyFault])


class AdvanceCommand(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How far the clock goes forward."""

    advance_seconds: Annotated[float, msgspec.Meta(ge=0, le=_LONGEST_ADVANCE)]


class Switches:
    """Faults and the clock, at run time."""

    def __init__(self, *, faults: Faults, timeline: Timeline, courier: Courier) -> None:
        self._faults = faults
        self._timeline = timeline
        self._courier = courier

    def routes(self) -> list[Route]:
        """Returns the routes, to be mounted at /emulator."""
        table: list[tuple[str, str, Endpoint]] = [
            ("GET", "/faults", self.list_faults),
            ("PUT", "/faults", self.replace_faults),
            ("DELETE", "/faults", self.clear_faults),
            ("PUT", "/faults/{name}", self.put_fault),
            ("DELETE", "/faults/{name}", self.remove_fault),
            ("GET", "/clock", self.clock),
            ("POST", "/clock", self.advance),
        ]
        return [Route(path, guarded(endpoint), methods=[method]) for method, path, endpoint in table]

    async def list_faults(self, request: Request) -> Response:  # noqa: ARG002 - an endpoint's form
        """Shows every armed fault, how often its occasion was `seen` and how often it was `used`."""
        return self._shown()

    async def replace_faults(self, request: Request) -> Response:
        """Arms the faults of a JSON list and no others."""
        faults = await read_with(request, _FAULTS)
        self._faults.replace(faults)
        return self._shown()

    async def clear_faults(self, request: Request) -> Response:  # noqa: ARG002 - an endpoint's form
        """Disarms all; what a fault has set off already goes on."""
        self._faults.clear()
        return self._shown()

    async def put_fault(self, request: Request) -> Response:
        """Arms one more, or another in its place, under the name in the path."""
        fault = await read_with(request, _ONE_FAULT)
        self._faults.put(request.path_params["name"], fault)
        return self._shown()

    async def remove_fault(self, request: Request) -> Response:
        """Disarms one."""
        self._faults.remove(request.path_params["name"])
        return self._shown()

    async def clock(self, request: Request) -> Response:  # noqa: ARG002 - an endpoint's form
        """Shows the time in Unix seconds."""
        return answer({"now": self._timeline.now()})

    async def advance(self, request: Request) -> Response:
        """Moves the time forward, with all that falls due on the way; answers when it is done."""
        command = await read_as(request, AdvanceCommand)
        await self._timeline.advance(command.advance_seconds, self._courier.quiet)
        return answer({"now": self._timeline.now()})

    def _shown(self) -> Response:
        items = self._faults.as_json()
        return answer({"count": len(items), "items": items})
