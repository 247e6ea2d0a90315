"""Recomputes the promises."""

from dataclasses import dataclass
from datetime import datetime

from kapda.domain.identity.session import REVOCATION_MEMORY
from kapda.domain.identity.session_ports import Revocation, RevokedTokens, SessionReader
from kapda.domain.ops.ports import PromiseAuditor
from kapda.domain.ops.promises import MAX_SAMPLES, Finding, PromiseResult, results
from kapda.domain.shared.clock import Clock

# Sessions asked about one by one; a sample is enough to notice a copy that has lost what it knew.
_MAX_SESSIONS = 200


@dataclass(frozen=True, slots=True)
class PromiseReport:
    """Every promise, as of `checked_at`."""

    checked_at: datetime
    results: tuple[PromiseResult, ...]


@dataclass(frozen=True, slots=True)
class CheckPromises:
    """Looks at everything, changes nothing; the work grows with the shop, so it is for admins."""

    auditor: PromiseAuditor
    sessions: SessionReader
    revoked_tokens: RevokedTokens
    clock: Clock

    async def execute(self) -> PromiseReport:
        """The report."""
        now = self.clock.now()
        findings = [*await self.auditor.findings(now), await self._revoked_sessions(now)]
        return PromiseReport(now, results(findings))

    async def _revoked_sessions(self, now: datetime) -> Finding:
        """Whose tokens have not run out yet: the fast copy must not let one of them through."""
        revoked = sorted(await self.sessions.revoked_since(now - REVOCATION_MEMORY))[-_MAX_SESSIONS:]
        let_through = [
            session_id
            for session_id in revoked
            if await self.revoked_tokens.check(session_id) is Revocation.NOT_REVOKED
        ]
        samples = tuple(str(session_id) for session_id in let_through[:MAX_SAMPLES])
        return Finding(6, "sessions revoked lately that would be let through", len(revoked), len(let_through), samples)
