"""Lines of the server's log. Writing one never fails the call that it tells of."""

import contextlib

import structlog

_log: structlog.typing.FilteringBoundLogger = structlog.get_logger("kapda.entrypoints")


def info(event: str, **facts: object) -> None:
    """What happened, with the facts of it."""
    # A full disk or a closed pipe under the log must not turn an order that was placed into an error.
    with contextlib.suppress(Exception):
        _log.info(event, **facts)


def warning(event: str, **facts: object) -> None:
    """What should not happen, and is provided for."""
    with contextlib.suppress(Exception):
        _log.warning(event, **facts)


def error(event: str, **facts: object) -> None:
    """What somebody has to look at."""
    with contextlib.suppress(Exception):
        _log.error(event, **facts)
