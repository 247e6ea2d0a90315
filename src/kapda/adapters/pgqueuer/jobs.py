"""Enqueues wake-ups in the transaction of what they follow from."""

from collections.abc import Collection, Sequence
from uuid import UUID

from sqlalchemy import text

from kapda.adapters.pgqueuer.names import to_payload
from kapda.adapters.postgres.connection import Connection
from kapda.domain.shared.jobs import Job

# A row as pgqueuer's own enqueue writes it. That statement takes a third longer, for it also keeps a log line of its
# own and looks the sequence up by name. The conflict's condition is that of the index pgqueuer_unique_dedupe_key.
_ENQUEUE = text("""
    INSERT INTO pgqueuer (priority, entrypoint, payload, dedupe_key, status)
    VALUES (0, :entrypoint, :payload, :dedupe_key, 'queued')
    ON CONFLICT (dedupe_key) WHERE status IN ('queued', 'picked') AND dedupe_key IS NOT NULL DO NOTHING
""")
_ENQUEUE_ALL = text("""
    INSERT INTO pgqueuer (priority, entrypoint, payload, dedupe_key, status)
    SELECT 0, :entrypoint, payload, dedupe_key, 'queued'
    FROM unnest(CAST(:payloads AS bytea[]), CAST(:dedupe_keys AS text[])) AS j (payload, dedupe_key)
    ON CONFLICT (dedupe_key) WHERE status IN ('queued', 'picked') AND dedupe_key IS NOT NULL DO NOTHING
""")


class PgqueuerJobs:
    """Jobs as rows of pgqueuer's queue.

    Everything goes through SQLAlchemy, never through the connection below it: SQLAlchemy begins a transaction with its
    first own statement, so a row written below it before that would outlive a rollback.

    A subject that is queued or being worked on at this moment is not queued again. In the second case the wake-up may
    come too late for the work that is running; the sweep finds what that leaves behind.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._woken: set[Job] = set()

    @property
    def woken(self) -> Collection[Job]:
        """The kinds of job that were woken or announced: their workers should be told after the commit."""
        return self._woken

    async def wake(self, job: Job, subject: UUID) -> None:
        """See the port."""
        values = {"entrypoint": job.value, "payload": to_payload(subject), "dedupe_key": _dedupe_key(job, subject)}
        await self._connection.execute(_ENQUEUE, values)
        self._woken.add(job)

    def announce(self, job: Job) -> None:
        """See the port."""
        self._woken.add(job)

    async def wake_all(self, job: Job, subjects: Sequence[UUID]) -> None:
        """See the port. In the order of the subjects: two who wake the same ones do not wait for each other in a ring."""
        if not subjects:
            return
        ordered = sorted(subjects)
        await self._connection.execute(
            _ENQUEUE_ALL,
            {
                "entrypoint": job.value,
                "payloads": [to_payload(subject) for subject in ordered],
                "dedupe_keys": [_dedupe_key(job, subject) for subject in ordered],
            },
        )
        self._woken.add(job)


def _dedupe_key(job: Job, subject: UUID) -> str:
    return f"{job.value}:{subject}"
