"""Thousands of requests that nobody in their right mind sends, to every method, from everybody, several at a time."""

import asyncio
import random
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass, field

import grpc
from google.protobuf.message import Message

from tests.attacks.breakages import with_value
from tests.attacks.cast import come_back
from tests.attacks.contract import METHODS, Method, fields_of
from tests.attacks.messages import Messages
from tests.attacks.plot import newcomers_buy
from tests.attacks.refusals import Refusal
from tests.attacks.stage import CALLERS, NOBODY, Stage
from tests.attacks.values import Values, rules_of

# What a caller can be told of a request of theirs. INTERNAL and UNKNOWN are faults of ours; UNAVAILABLE says that a part
# of the system is down, and none is.
TOLD = {
    grpc.StatusCode.INVALID_ARGUMENT,
    grpc.StatusCode.UNAUTHENTICATED,
    grpc.StatusCode.PERMISSION_DENIED,
    grpc.StatusCode.NOT_FOUND,
    grpc.StatusCode.ALREADY_EXISTS,
    grpc.StatusCode.FAILED_PRECONDITION,
    grpc.StatusCode.ABORTED,
    grpc.StatusCode.RESOURCE_EXHAUSTED,
}
# Above this the transport refuses by itself, without our details.
MAX_REQUEST_BYTES = 256 * 1024
AT_ONCE = 8
_REMEMBERED = 300
# By then what there was has been cancelled, refunded and abandoned.
_ACT_EVERY = 400
# The largest varint, a NUL, half a surrogate pair, a length without its text, a nought written long.
_SPLINTERS = [b"\xff" * 9 + b"\x01", b"\0", b"\xed\xa0\x80", b"\x0a", b"\x80\x80\x00"]


@dataclass(frozen=True, slots=True)
class Shot:
    """One request of one caller."""

    method: Method
    caller: str
    request: bytes

    def __str__(self) -> str:
        message = self.method.new_request()
        try:
            message.ParseFromString(self.request)
            text = str(message)[:2000]
        except Exception as error:  # noqa: BLE001  (a fuzzer's bytes; the text is only for people)
            text = f"no message: {error}"
        return f"{self.method.path} by {self.caller}\n{text}\nbytes.fromhex('{self.request[:4000].hex()}')"


@dataclass
class Fuzzer:
    """Fires until told to stop; raises AssertionError with the seed and the request at the first wrong answer."""

    stage: Stage
    seed: int
    methods: list[Method] = field(default_factory=lambda: list(METHODS))
    answers: Counter[tuple[str, str]] = field(default_factory=Counter)
    shots: int = 0

    def __post_init__(self) -> None:
        self._dice = random.Random(self.seed)  # noqa: S311  (it must be repeatable)
        self._messages = Messages(Values(self._dice), self.stage.known)
        self._earlier: deque[Shot] = deque(maxlen=_REMEMBERED)
        self._secrets: list[str] = []
        self._aimed_at: set[str] = set()

    async def fire(self, go_on: Callable[[int], bool]) -> None:
        """Volley after volley for as long as `go_on` says so of the number of shots."""
        self._secrets = await self.stage.secrets()
        while go_on(self.shots):
            volley = [self._aim() for _ in range(AT_ONCE)]
            thrown_out = await asyncio.gather(*(self._shoot(shot) for shot in volley))
            self.shots += len(volley)
            for caller in {caller for caller in thrown_out if caller is not None}:
                await come_back(self.stage, caller)
            if self.shots % _ACT_EVERY < AT_ONCE:
                await newcomers_buy(self.stage)

    async def ask_well(self) -> str:
        """One request as the contract wants it, by somebody who may; `OK` or the reason of its refusal."""
        method = self.methods[0]
        caller = self._dice.choice(self.stage.allowed(method))
        request = self._messages.good(method, caller)
        before = self.answers.copy()
        if await self._shoot(Shot(method, caller, request.SerializeToString())) is not None:
            await come_back(self.stage, caller)
        ((_, reason),) = self.answers - before
        return reason

    def _aim(self) -> Shot:
        if len(self._aimed_at) == len(self.methods) and self._dice.random() < 0.1:
            earlier = self._dice.choice(self._earlier)
            caller = earlier.caller if self._dice.random() < 0.5 else self._dice.choice(CALLERS)
            return Shot(earlier.method, caller, earlier.request)
        # Each of them once before any of them twice.
        method = (
            self.methods[len(self._aimed_at)]
            if len(self._aimed_at) < len(self.methods)
            else self._dice.choice(self.methods)
        )
        self._aimed_at.add(method.path)
        among = self.stage.allowed(method) if self._dice.random() < 0.85 else list(CALLERS)
        shot = Shot(method, caller := self._dice.choice(among), self._request(method, caller))
        self._earlier.append(shot)
        return shot

    def _request(self, method: Method, caller: str) -> bytes:
        message = self._messages.good(method, caller)
        luck = self._dice.random()
        if 0.3 < luck < 0.8:
            for _ in range(self._dice.choice([1, 1, 1, 2, 3])):
                message = self._odd(message, method, caller)
        written: bytes = message.SerializeToString()
        return self._garbled(written) if luck >= 0.8 else written

    def _odd(self, message: Message, method: Method, caller: str) -> Message:
        paths = fields_of(method.request)
        if not paths:
            return message
        path = self._dice.choice(paths)
        last, values = path[-1], self._messages.values
        rules = rules_of(last)
        if last.message_type is not None:
            odd = [*values.odd_messages(last), None]
            return message if last.is_repeated else with_value(message, path, self._dice.choice(odd))
        told = self.stage.known.pick(caller, last.name, self._dice)
        choices = values.odd(last, rules.repeated.items if last.is_repeated else rules)
        value = (
            told
            if isinstance(told, str) and last.cpp_type == last.CPPTYPE_STRING and self._dice.random() < 0.4
            else None
        )
        value = self._dice.choice(choices) if value is None else value
        return with_value(message, path, [value] * self._dice.choice([1, 1, 3]) if last.is_repeated else value)

    def _garbled(self, written: bytes) -> bytes:
        garbled = bytearray(written)
        for _ in range(self._dice.randint(1, 6)):
            at = self._dice.randrange(len(garbled) + 1)
            match self._dice.randrange(5):
                case 0 if at < len(garbled):
                    garbled[at] ^= 1 << self._dice.randrange(8)
                case 1:
                    garbled[at:at] = self._dice.randbytes(self._dice.randint(1, 9))
                case 2:
                    del garbled[at : at + self._dice.randint(1, 9)]
                case 3:
                    garbled += written[at:]
                case _:
                    garbled[at:at] = self._dice.choice(
                        [b"\xff" * 9 + b"\x01", b"\0", b"\xed\xa0\x80", b"\x0a", b"\x80\x80\x00"]
                    )
        return bytes(garbled)

    async def _shoot(self, shot: Shot) -> str | None:
        """Fire; whoever was thrown out by an earlier shot."""
        try:
            try:
                received = await self.stage.send(shot.method, shot.request, shot.caller)
            except grpc.aio.AioRpcError as error:
                return self._refused(shot, error)
            told = [secret for secret in self._secrets if secret.encode() in received]
            assert not told, f"tells a secret: {told}"
            self.stage.known.learn_from(shot.caller, shot.method.read_response(received))
            self.answers[shot.method.descriptor.name, "OK"] += 1
            return None
        except AssertionError as wrong:
            raise AssertionError(f"KAPDA_TORTURE_SEED={self.seed}, near shot {self.shots}: {wrong}\n{shot}") from wrong

    def _refused(self, shot: Shot, error: grpc.aio.AioRpcError) -> str | None:
        assert error.code() in TOLD, f"{error.code()}: {error.details()}"
        if len(shot.request) > MAX_REQUEST_BYTES and error.code() is grpc.StatusCode.RESOURCE_EXHAUSTED:
            return None
        refusal = Refusal(error)
        told = refusal.tells(self._secrets)
        assert not told, f"tells a secret: {told}"
        self.answers[shot.method.descriptor.name, refusal.reason] += 1
        # Out are those whose session was ended, and those whose signing key was taken away.
        lost = refusal.code is grpc.StatusCode.UNAUTHENTICATED or refusal.reason.startswith("SIGN")
        return shot.caller if lost and shot.caller != NOBODY and not shot.method.rule.public else None
