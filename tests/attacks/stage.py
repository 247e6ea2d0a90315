"""The real server on real parts, somebody of every kind in front of it, and eyes on all that it writes and says."""

from dataclasses import dataclass, field
from typing import Any

import grpc
import pytest
from google.protobuf.message import Message

from kapda.domain.identity.user import Role
from kapda.domain.shared.ids import UserId
from kapda.entrypoints.cli.signer import Signer
from tests.attacks.contract import Method, method_named
from tests.attacks.known import Known
from tests.attacks.refusals import Refusal
from tests.shop.buyer import Buyer
from tests.shop.shop import Shop

CALL_SECONDS = 20.0
PASSWORD = "corridor-lantern-41-peacock"
NOBODY, GUEST, SERVICE = "nobody", "guest", "service"
# Two of each kind that owns something: what belongs to the one is not found by the other.
ROLES = {
    "asha": Role.CUSTOMER,
    "ravi": Role.CUSTOMER,
    "loom": Role.DESIGNER,
    "press": Role.BRAND,
    "admin": Role.ADMIN,
}
CALLERS = (NOBODY, GUEST, SERVICE, *ROLES)
_TABLES = """SELECT c.relname FROM pg_class c WHERE c.relkind IN ('r', 'p') AND c.relnamespace = 'public'::regnamespace
             ORDER BY 1"""
_CONTENT = """SELECT '{table}' AS name, count(*) AS rows,
              md5(coalesce(string_agg(t::text, chr(10) ORDER BY t::text), '')) AS digest FROM {table} t"""


@dataclass
class Stage:
    """Everything an attack needs."""

    shop: Shop
    channel: grpc.aio.Channel
    port: int
    metadata: dict[str, tuple[tuple[str, str], ...]] = field(default_factory=lambda: {NOBODY: ()})
    users: dict[str, UserId] = field(default_factory=dict)
    emails: dict[str, str] = field(default_factory=dict)
    signers: dict[str, Signer] = field(default_factory=dict)
    known: Known = field(default_factory=Known)

    async def send(
        self,
        method: Method,
        request: bytes,
        caller: str = NOBODY,
        *,
        more: tuple[tuple[str, str | bytes], ...] = (),
        seconds: float | None = CALL_SECONDS,
    ) -> bytes:
        """The response's bytes; whoever can sign signs what must be. Raises AioRpcError."""
        call: Any = self.channel.unary_unary(method.path)
        signed = self.signature(method, request, caller)
        received: bytes = await call(request, metadata=(*self.metadata[caller], *signed, *more), timeout=seconds)
        return received

    def signature(self, method: Method, request: bytes, caller: str) -> tuple[tuple[str, str], ...]:
        """The caller's, for this sending, where the method takes signed requests only."""
        if not method.rule.signed_by or caller not in self.signers:
            return ()
        return self.signers[caller].headers(method.path, request)

    async def ask(self, method_name: str, caller: str, **fields: Any) -> Message:
        """A call that must work; what it tells is known to the caller from then on."""
        method = method_named(method_name)
        request = type(method.new_request())(**fields)
        response = method.read_response(await self.send(method, request.SerializeToString(), caller))
        self.known.learn_from(caller, response)
        return response

    async def refused(self, method_name: str, caller: str, **fields: Any) -> Refusal:
        """A call that must be refused, and leaves everything as it was."""
        before = await self.everything_written()
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await self.ask(method_name, caller, **fields)
        assert await self.everything_written() == before
        return Refusal(caught.value)

    def buyer(self, caller: str) -> Buyer:
        """The customer, at the use cases."""
        return Buyer(self.shop, self.users[caller])

    def allowed(self, method: Method) -> list[str]:
        """Who may call the method."""
        if method.rule.public:
            return [NOBODY]
        allowed = [name for name, role in ROLES.items() if role in method.rule.roles]
        assert allowed, f"nobody on the stage may call {method.path}: give tests/attacks/stage.py somebody who may"
        allowed += [GUEST] if method.rule.guests else []
        return [*allowed, SERVICE] if method.rule.scope is not None else allowed

    async def everything_written(self) -> dict[str, tuple[int, str]]:
        """Each table's number of rows and a digest of all of them."""
        tables = [row["relname"] for row in await self.shop.sql(_TABLES)]
        found = await self.shop.sql(" UNION ALL ".join(_CONTENT.format(table=table) for table in tables))
        return {row["name"]: (row["rows"], row["digest"]) for row in found}

    async def secrets(self) -> list[str]:
        """What may stand in no answer and no log line."""
        hashes = [
            row["password_hash"]
            for row in await self.shop.sql("SELECT password_hash FROM users WHERE length(password_hash) > 1")
        ]
        tokens = [value.removeprefix("Bearer ") for pairs in self.metadata.values() for _, value in pairs]
        settings = self.shop.container.settings()
        given: list[Any] = [settings.database_url, settings.redis_url, settings.page_token_key, settings.signing_key]
        given += [*settings.jwt_keys, *settings.razorpay_key_secret, *settings.razorpay_webhook_secrets]
        signing = [signer.secret.text for signer in self.signers.values()]
        return [PASSWORD, *hashes, *tokens, *signing, *(secret.get_secret_value() for secret in given)]
