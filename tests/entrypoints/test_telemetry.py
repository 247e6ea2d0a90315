"""Log lines are JSON, named, dated, with the request's id, and without an exception's text."""

import io
import logging
from collections.abc import Iterator
from typing import Any
from uuid import UUID

import orjson
import pytest
import structlog

from kapda.entrypoints.telemetry import configure_logging, request_id_from


@pytest.fixture
def written() -> Iterator[io.BytesIO]:
    """Where lines go during the test; the configuration before it comes back."""
    before, root = structlog.get_config(), logging.getLogger()
    handlers, level = root.handlers[:], root.level
    # force=True closes the handlers it finds, pytest's own among them.
    root.handlers = []
    stream = io.BytesIO()
    yield stream
    structlog.configure(**before)
    root.handlers, root.level = handlers, level


def lines(stream: io.BytesIO) -> list[dict[str, Any]]:
    return [orjson.loads(line) for line in stream.getvalue().splitlines()]


def test_a_line_is_one_json_object_with_name_level_and_time(written: io.BytesIO) -> None:
    configure_logging("INFO", written)
    structlog.get_logger("kapda.test").info("call", code="OK", id=UUID(int=1), odd=object())
    (line,) = lines(written)
    assert line["event"] == "call"
    assert line["logger"] == "kapda.test"
    assert line["level"] == "info"
    assert line["code"] == "OK"
    assert line["id"] == str(UUID(int=1))
    assert line["time"].endswith("Z")


def test_lines_below_the_level_are_not_written(written: io.BytesIO) -> None:
    configure_logging("warning", written)
    structlog.get_logger("kapda.test").info("call")
    logging.getLogger("uvicorn.error").info("chatter")
    assert lines(written) == []


def test_what_is_bound_to_the_request_is_in_every_line(written: io.BytesIO) -> None:
    configure_logging("INFO", written)
    with structlog.contextvars.bound_contextvars(request_id="request-0001"):
        structlog.get_logger("kapda.test").info("inside")
        logging.getLogger("some.library").warning("also inside")
    structlog.get_logger("kapda.test").info("outside")
    inside, foreign, outside = lines(written)
    assert inside["request_id"] == foreign["request_id"] == "request-0001"
    assert "request_id" not in outside


EMPTY: dict[str, str] = {}


def _fail() -> None:
    try:
        EMPTY["4111 1111 1111 1111"]
    except KeyError as error:
        raise ValueError("token abc") from error


def test_an_exception_is_told_by_type_and_place_never_by_text(written: io.BytesIO) -> None:
    configure_logging("INFO", written)
    try:
        _fail()
    except ValueError:
        structlog.get_logger("kapda.test").exception("failed")
        logging.getLogger("some.library").exception("failed too")
    own, foreign = lines(written)
    for line in (own, foreign):
        assert [link["type"] for link in line["raised"]] == ["builtins.ValueError", "builtins.KeyError"]
        assert "test_telemetry.py" in line["raised"][0]["frames"][0]
    assert b"4111" not in written.getvalue()
    assert b"token abc" not in written.getvalue()


def test_an_unknown_level_is_refused() -> None:
    with pytest.raises(ValueError, match="unknown log level"):
        configure_logging("LOUD")


@pytest.mark.parametrize("given", [None, "", "short", "with space", "a" * 65, "line\nbreak-in-it", "नमस्ते-नमस्ते"])
def test_a_request_id_that_is_none_is_replaced(given: str | None) -> None:
    assert request_id_from(given) != given
    assert len(request_id_from(given)) == 36


def test_a_good_request_id_is_kept() -> None:
    assert request_id_from("Edge_1.2-3") == "Edge_1.2-3"
