"""Signals that end a command leave its `with` blocks in order."""

import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import NoReturn


def _leave(number: int, _frame: FrameType | None) -> NoReturn:
    sys.exit(128 + number)


@contextmanager
def signals_leave_the_block() -> Iterator[None]:
    """Make SIGTERM and SIGHUP raise SystemExit, so that everything is stopped as it is on Ctrl-C.

    SIGINT is set as well: a shell starts what it puts in the background with SIGINT ignored.
    """
    handlers = {signal.SIGTERM: _leave, signal.SIGHUP: _leave, signal.SIGINT: signal.default_int_handler}
    before = {number: signal.signal(number, handler) for number, handler in handlers.items()}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
