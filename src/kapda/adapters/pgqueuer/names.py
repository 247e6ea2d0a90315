"""The names that pgqueuer's objects have in our schema, and the form of a job's payload."""

from uuid import UUID

from pgqueuer.domain.settings import DBSettings
from pgqueuer.domain.types import Channel

from kapda.domain.shared.jobs import Job

# Said out loud, each of them: what is left out pgqueuer takes from the environment, also from a bare `CHANNEL`.
SETTINGS = DBSettings(
    prefix="",
    db_schema=None,
    channel=Channel("kapda_jobs"),
    function="fn_pgqueuer_changed",
    statistics_table="pgqueuer_statistics",
    queue_status_type="pgqueuer_status",
    queue_table="pgqueuer",
    queue_table_log="pgqueuer_log",
    trigger="tg_pgqueuer_changed",
    schedules_table="pgqueuer_schedules",
)


def channel_of(job: Job) -> Channel:
    """Where jobs of that kind are announced: a queue that is told of others' jobs looks for its own in vain."""
    return Channel(f"{SETTINGS.channel}_{job.value}")


def to_payload(subject: UUID) -> bytes:
    """What a job carries: the id of the row to look at, nothing else."""
    return subject.bytes


def from_payload(payload: bytes | None) -> UUID:
    """The row's id. Raises ValueError for a payload that is none of ours."""
    return UUID(bytes=payload or b"")
