"""Says what becomes of mails, and never to whom they went."""

from uuid import UUID

import structlog
from prometheus_client import CollectorRegistry, Counter

from kapda.domain.notifications.mail import MailOutcome, MailState

_log: structlog.typing.FilteringBoundLogger = structlog.get_logger("kapda.mails")


class MailReport:
    """Counts the mails by kind and by what came of them; a line for those that somebody should know of."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._mails = Counter(
            "kapda_mails", "Looks at mails, by kind and by the state they left.", ["kind", "state"], registry=registry
        )

    def note(self, mail: UUID, outcome: MailOutcome | None) -> None:
        """One look at a mail; None where there was nothing to do."""
        if outcome is None:
            return
        self._mails.labels(outcome.kind.value, outcome.state.value).inc()
        if outcome.state is not MailState.SENT:
            # Dropped is the usual end of mails for addresses without an account.
            say = _log.info if outcome.state is MailState.DROPPED else _log.warning
            say("mail not sent", mail=str(mail), kind=outcome.kind.value, state=outcome.state.value, why=outcome.detail)
