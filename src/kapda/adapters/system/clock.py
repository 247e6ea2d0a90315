"""The system's clock."""

from datetime import UTC, datetime


class SystemClock:
    """A Clock that asks the machine."""

    def now(self) -> datetime:
        """The present instant in UTC."""
        return datetime.now(UTC)
