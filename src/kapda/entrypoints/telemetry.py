"""What every process says about itself: one JSON object a line on stderr, and an id that follows a request through them.

A line holds names, ids, codes and durations. It never holds a body, a token, a signature, an address, a DSN or the text
of an unexpected exception: that text may quote the row or the request it stumbled over.
"""

import logging
import re
import sys
import traceback
from typing import Any, BinaryIO
from uuid import uuid4

import orjson
import structlog

# Other people's loggers (uvicorn, pgqueuer, SQLAlchemy) are heard when something is wrong.
_FOREIGN_LEVEL = logging.WARNING
# Enough to find the line; a deep recursion must not fill the log.
_MAX_FRAMES = 40
_MAX_CAUSES = 8
# It goes into logs, headers and metadata, so it has the alphabet of ids and is no place for anything else.
_ACCEPTABLE_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{8,64}")


def configure_logging(level: str, stream: BinaryIO | None = None) -> None:
    """Send every log line of this process to `stream` (stderr by default) as JSON, from `level` (such as "INFO") up.

    Bound context variables (`request_id`) are part of each line. Call it once, before anything is logged.
    Raises ValueError for an unknown level.
    """
    number = logging.getLevelNamesMapping().get(level.upper())
    if number is None:
        raise ValueError(f"unknown log level {level!r}")
    file = stream if stream is not None else sys.stderr.buffer
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="time"),
        _describe_exception,
    ]
    structlog.configure(
        processors=[*shared, structlog.processors.JSONRenderer(serializer=orjson.dumps)],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=_NamedLoggers(file),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(_TextLines(file))
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.JSONRenderer(serializer=_dump_text),
            ],
            foreign_pre_chain=shared,
        )
    )
    logging.basicConfig(handlers=[handler], level=max(number, _FOREIGN_LEVEL), force=True)


def describe(error: BaseException) -> list[dict[str, object]]:
    """Type and places of an exception and its causes, innermost last. Not its text."""
    chain: list[dict[str, object]] = []
    link: BaseException | None = error
    while link is not None and len(chain) < _MAX_CAUSES:
        frames = traceback.extract_tb(link.__traceback__)[-_MAX_FRAMES:]
        chain.append(
            {
                "type": f"{type(link).__module__}.{type(link).__qualname__}",
                "frames": [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames],
            }
        )
        link = link.__cause__ or link.__context__
    return chain


def request_id_from(given: str | None) -> str:
    """The caller's request id when it is 8 to 64 letters, digits, dots, hyphens or underscores; a new one otherwise."""
    if given is not None and _ACCEPTABLE_REQUEST_ID.fullmatch(given):
        return given
    return str(uuid4())


class _NamedLogger(structlog.BytesLogger):
    """Writes lines, and knows its name as loggers of the standard library do."""

    def __init__(self, file: BinaryIO, name: str) -> None:
        super().__init__(file)
        self.name = name


class _NamedLoggers:
    """Makes the logger behind `structlog.get_logger(name)`."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file

    def __call__(self, name: str = "kapda", *_: Any) -> _NamedLogger:
        return _NamedLogger(self._file, name)


class _TextLines:
    """A binary stream as the text stream that the standard library's handler wants."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file

    def write(self, text: str) -> int:
        return self._file.write(text.encode(errors="replace"))

    def flush(self) -> None:
        self._file.flush()


def _dump_text(value: object, **options: Any) -> str:
    return orjson.dumps(value, **options).decode()


def _describe_exception(_logger: object, _method: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
    """Put the description of an exception where its traceback would stand; the name `exception` is for ready text."""
    given = event.pop("exc_info", None)
    error = sys.exc_info()[1] if given is True else given[1] if isinstance(given, tuple) else given
    if isinstance(error, BaseException):
        event["raised"] = describe(error)
    return event
