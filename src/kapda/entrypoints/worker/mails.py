"""Says what becomes of mails, and never to whom they went."""

import structlog
from prometheus_client import CollectorRegistry, Counter

from kapda.domain.notifications.mail import MailOutcome, MailState
from kapda.entrypoints.telemetry import describe

_log: structlog.typing.FilteringBoundLogger = structlog.get_logger("kapda.mails")


class MailReport:
    """Counts the mails by kind and by what came of them; a line for those that somebody should know of."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._mails = Counter(
            "kapda_mails", "Tries at mails, by kind and by the state they left.", ["kind", "state"], registry=registry
        )

    def note(self, outcome: MailOutcome) -> None:
        """One try at a mail."""
        self._mails.labels(outcome.kind.value, outcome.state.value).inc()
        if outcome.state is MailState.SENT:
            return
        facts = {"mail": str(outcome.mail_id), "kind": outcome.kind.value, "state": outcome.state.value}
        if outcome.error is not None:
            _log.error("mail failed", **facts, raised=describe(outcome.error))
        elif outcome.state is MailState.DROPPED:
            # The usual end of mails for addresses without an account.
            _log.info("mail not sent", **facts, why=outcome.detail)
        else:
            _log.warning("mail not sent", **facts, why=outcome.detail)
