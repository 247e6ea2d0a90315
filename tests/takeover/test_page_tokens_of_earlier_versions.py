"""Somebody turns pages while a new version takes over: the token of the old one goes on where it stood.

`page_tokens.json` holds a token of every list as an earlier version sealed it, and the cursor in it. They are never written
anew: whoever gives a list another cursor goes on reading the old one, and adds an entry.
"""

import json
import random
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from google.protobuf import json_format
from google.protobuf.message import Message

from kapda.entrypoints.grpc.page_tokens import PageTokens
from tests.attacks.contract import METHODS, Method
from tests.attacks.messages import Messages
from tests.attacks.stage import Stage
from tests.attacks.values import Values

KEPT: list[dict[str, Any]] = json.loads((Path(__file__).parent / "page_tokens.json").read_text(encoding="utf-8"))
THEN = PageTokens([bytes(32)])
OWNER = UUID(int=0xA5A)
BY_PATH = {method.path: method for method in METHODS}
NAMES = [f"{entry['method'].rpartition('/')[2]}-{number}" for number, entry in enumerate(KEPT)]


def _asked(entry: dict[str, Any]) -> Message:
    return json_format.ParseDict(entry["request"], BY_PATH[entry["method"]].new_request())


def test_every_list_has_a_token_of_an_earlier_version() -> None:
    lists = {method.path for method in METHODS if "page_token" in method.request.fields_by_name}
    assert {entry["method"] for entry in KEPT} == lists


@pytest.mark.parametrize("entry", KEPT, ids=NAMES)
def test_a_token_of_an_earlier_version_opens_for_its_question(entry: dict[str, Any]) -> None:
    owner = None if BY_PATH[entry["method"]].rule.public else OWNER
    assert THEN.page_of(_asked(entry), 20, entry["token"], owner).cursor == tuple(entry["cursor"])


@pytest.mark.parametrize("entry", KEPT, ids=NAMES)
async def test_a_list_goes_on_at_the_cursor_of_an_earlier_version(stage: Stage, entry: dict[str, Any]) -> None:
    method = BY_PATH[entry["method"]]
    callers = stage.allowed(method)
    caller = callers[-1] if method.rule.public else next(name for name in callers if name in stage.users)
    request: Any = _good(stage, method, caller) if _names_something(entry) else _asked(entry)
    request.page_size = 0
    owner = None if method.rule.public else stage.users[caller]
    request.page_token = stage.shop.container.page_tokens().next_token(request, tuple(entry["cursor"]), owner)

    response = await stage.send(method, request.SerializeToString(), caller)

    assert method.read_response(response).IsInitialized()


def _names_something(entry: dict[str, Any]) -> bool:
    """Whether it asks about a thing that has to be on the stage."""
    return any(field.endswith("Id") for field in entry["request"])


def _good(stage: Stage, method: Method, caller: str) -> Message:
    return Messages(Values(random.Random(11)), stage.known).good(method, caller)  # noqa: S311  (no secrets)
