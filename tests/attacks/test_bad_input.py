"""Every method is asked wrongly in every way that its descriptors suggest: it says so, writes nothing and tells nothing.

The requests are made from the contract, so a method is attacked from the day on which it is declared.
"""

import random
from collections.abc import Iterable
from dataclasses import dataclass

import grpc
import pytest
import structlog
from google.protobuf.message import Message

from tests.attacks.breakages import Breakage, broken_bytes, broken_fields
from tests.attacks.contract import METHODS, Method
from tests.attacks.messages import Messages
from tests.attacks.refusals import Refusal
from tests.attacks.stage import NOBODY, ROLES, Stage
from tests.attacks.values import Values

INVALID = grpc.StatusCode.INVALID_ARGUMENT
# Details name so many fields at most; the code stays the right one.
MAX_NAMED = 20
by_method = pytest.mark.parametrize("method", METHODS, ids=lambda method: method.descriptor.name)


@dataclass(frozen=True)
class Attempt:
    """One wrong call and what came of it: a refusal, or None where it was served."""

    breakage: Breakage
    refusal: Refusal | None


async def attempts(stage: Stage, method: Method, caller: str, breakages: Iterable[Breakage]) -> list[Attempt]:
    """Make every wrong call; nothing may be written by any, and nothing told in an answer or a log line."""
    before, secrets, made = await stage.everything_written(), await stage.secrets(), []
    with structlog.testing.capture_logs() as lines:
        for breakage in breakages:
            try:
                await stage.send(method, breakage.request, caller)
            except grpc.aio.AioRpcError as error:
                refusal = Refusal(error)
                assert not refusal.tells(secrets), breakage.what
                made.append(Attempt(breakage, refusal))
            else:
                made.append(Attempt(breakage, None))
    assert await stage.everything_written() == before
    logged = "\n".join(map(str, lines))
    assert not [secret for secret in secrets if secret in logged]
    assert len(lines) >= len(made)
    return made


def a_good_one(stage: Stage, method: Method, caller: str) -> tuple[Messages, Message]:
    """A request that would be served, made the same way each time."""
    messages = Messages(Values(random.Random(method.path)), stage.known)  # noqa: S311  (the same every run)
    return messages, messages.good(method, caller)


@by_method
async def test_a_request_that_breaks_a_rule_is_refused_by_its_fields(stage: Stage, method: Method) -> None:
    caller = stage.allowed(method)[0]
    messages, good = a_good_one(stage, method, caller)
    breakages = broken_fields(good, method, messages.values, messages.validator)
    wrong: list[object] = []
    for attempt in await attempts(stage, method, caller, breakages):
        refused, named = attempt.refusal, attempt.breakage.fields
        if refused is None or (refused.code, refused.reason) != (INVALID, "VALIDATION_FAILED"):
            wrong.append((attempt.breakage.what, "served" if refused is None else (refused.code.name, refused.text)))
        elif not (set(refused.fields) <= named and len(set(refused.fields)) >= min(len(named), MAX_NAMED)):
            wrong.append((attempt.breakage.what, refused.fields))
    assert not wrong


@by_method
async def test_bytes_that_are_no_message_are_refused(stage: Stage, method: Method) -> None:
    caller = stage.allowed(method)[0]
    _, good = a_good_one(stage, method, caller)
    found = await attempts(stage, method, caller, broken_bytes(good, method))
    assert not [
        attempt.breakage.what
        for attempt in found
        if attempt.refusal is None or (attempt.refusal.code, attempt.refusal.reason) != (INVALID, "VALIDATION_FAILED")
    ]


@by_method
async def test_nobody_and_those_of_other_roles_are_refused_before_their_message_is_read(
    stage: Stage, method: Method
) -> None:
    good = a_good_one(stage, method, stage.allowed(method)[0])[1]
    requests = [Breakage("a good one", good.SerializeToString()), *broken_bytes(good, method)]
    strangers = (
        [] if method.rule.public else [NOBODY, *(name for name, role in ROLES.items() if role not in method.rule.roles)]
    )
    for stranger in strangers:
        code, reason = (
            (grpc.StatusCode.UNAUTHENTICATED, "TOKEN_MISSING")
            if stranger == NOBODY
            else (grpc.StatusCode.PERMISSION_DENIED, "ROLE_NOT_ALLOWED")
        )
        for attempt in await attempts(stage, method, stranger, requests):
            assert attempt.refusal is not None, (stranger, attempt.breakage.what)
            assert (attempt.refusal.code, attempt.refusal.reason) == (code, reason)
