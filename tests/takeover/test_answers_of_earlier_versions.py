"""A new server takes over while the old one still runs: each replays what the other has answered.

`answers/` holds answers as the request log kept them, one a type, written by an earlier version. They are never written
anew: whoever gives a type a field gives it a default, or adds a second file beside the first.
"""

import ast
import importlib
import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

import kapda.domain
from kapda.adapters.postgres.json_columns import plain_uuid

DOMAIN = Path(kapda.domain.__path__[0])
ANSWERS = sorted((Path(__file__).parent / "answers").glob("*.json"))


def _kept_types() -> dict[str, type]:
    """Every type that a use case keeps as an answer, by its name: one that it claims a request for."""
    found: dict[str, type] = {}
    for file in sorted(DOMAIN.rglob("use_cases/*.py")):
        module = ".".join(file.relative_to(DOMAIN.parents[1]).with_suffix("").parts)
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            match node:
                case ast.Call(func=func, args=[_, ast.Name(id=name), *_]) if ast.unparse(func).endswith(
                    ("requests.claim", ".claim_and_touch", ".claim_and_lock")
                ):
                    found[name] = getattr(importlib.import_module(module), name)
    return found


def _type_of(file: Path) -> type:
    return _kept_types()[file.stem.partition("-")[0]]


def _encoded(answer: object) -> Any:
    return json.loads(msgspec.json.encode(answer, enc_hook=plain_uuid))


def _keeps(now: Any, then: Any) -> bool:
    """Whether all that was told then is told now; there may be more."""
    if isinstance(then, dict):
        return isinstance(now, dict) and all(name in now and _keeps(now[name], value) for name, value in then.items())
    if isinstance(then, list):
        return (
            isinstance(now, list)
            and len(now) == len(then)
            and all(_keeps(a, b) for a, b in zip(now, then, strict=True))
        )
    return bool(now == then)


def _with_more(answer: Any) -> Any:
    """As a later version might write it: a field more in every object that has fields of its own."""
    return {**answer, "a_field_of_tomorrow": {"nested": [1]}}


def test_every_type_of_answer_has_one_of_an_earlier_version() -> None:
    kept = _kept_types()
    assert len(kept) >= 10
    assert {file.stem.partition("-")[0] for file in ANSWERS} == set(kept)


@pytest.mark.parametrize("file", ANSWERS, ids=lambda file: file.stem)
def test_what_an_earlier_version_answered_is_answered_still(file: Path) -> None:
    then = json.loads(file.read_text(encoding="utf-8"))
    answer: Any = msgspec.json.decode(file.read_bytes(), type=_type_of(file))
    assert _keeps(_encoded(answer), then)


@pytest.mark.parametrize("file", ANSWERS, ids=lambda file: file.stem)
def test_what_a_later_version_answered_is_understood_as_far_as_it_is_known(file: Path) -> None:
    """The old server is asked again, about what the new one has done."""
    then = json.loads(file.read_text(encoding="utf-8"))
    kind = _type_of(file)
    assert msgspec.json.decode(json.dumps(_with_more(then)), type=kind) == msgspec.json.decode(
        json.dumps(then), type=kind
    )
