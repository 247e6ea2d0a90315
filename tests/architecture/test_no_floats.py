"""F29: no float comes near money, and every paisa arrives."""

import ast
import json
import random
import time
from pathlib import Path

import pytest
from google.protobuf import json_format
from hypothesis import example, given
from hypothesis import strategies as st

import kapda.domain
from kapda.adapters.razorpay.answers import OrderAnswer, read_answer
from kapda.adapters.razorpay.gateway import _order_body
from kapda.api.common.v1.money_pb2 import Money as MoneyMessage
from kapda.domain.payments.gateway import GatewayOrderRequest
from kapda.domain.shared.money import INR, Money
from kapda.entrypoints.grpc.translate.values import money_from_proto, money_to_proto
from tests.torture.budget import CAMPAIGN_SECONDS, SEED

DOMAIN = Path(kapda.domain.__path__[0])
# Where amounts are computed, kept, sent or read: everything below these contexts, and what carries it in and out.
CONTEXTS = ("shared", "ledger", "payments", "orders", "checkout", "inventory", "cart", "catalog")
OUTSIDE = (DOMAIN.parent / "entrypoints" / "grpc" / "translate", DOMAIN.parent / "adapters" / "postgres")
MONEY_CODE = (
    *(file for context in CONTEXTS for file in (DOMAIN / context).rglob("*.py")),
    *(file for folder in OUTSIDE for file in folder.glob("*.py")),
    DOMAIN.parent / "adapters" / "razorpay" / "answers.py",
    DOMAIN.parent / "adapters" / "razorpay" / "gateway.py",
    DOMAIN.parent / "adapters" / "mail" / "jinja_composer.py",
)
_NAMES = {"float", "round", "Decimal"}
# A time to wait, in seconds, and no money.
_TIMES = {"retry_after", "sleep", "patience"}
# Seconds that stand in a table of answers.
_SECONDS_IN_TABLES = {"constraint_errors.py"}


def _is_time(node: ast.AST) -> bool:
    """A constant, a parameter or an argument that says by its name that it is seconds."""
    match node:
        case ast.Assign(targets=[ast.Name(id=name)]) | ast.AnnAssign(target=ast.Name(id=name)):
            return name.endswith("_SECONDS") or name in _TIMES
        case ast.keyword(arg=name) | ast.arg(arg=name):
            return name in _TIMES
    return False


def _is_path(node: ast.AST) -> bool:
    return isinstance(node, ast.BinOp) and isinstance(node.right, ast.Constant) and isinstance(node.right.value, str)


def _floats(file: Path) -> list[str]:
    tree = ast.parse(file.read_text(encoding="utf-8"))
    times = {part for node in ast.walk(tree) if _is_time(node) for part in ast.walk(node)}
    return [
        f"{file.name}:{getattr(node, 'lineno', 0)}"
        for node in ast.walk(tree)
        if node not in times
        and (
            (isinstance(node, ast.Constant) and isinstance(node.value, float))
            or (isinstance(node, ast.Name) and node.id in _NAMES)
            or (isinstance(node, ast.BinOp | ast.AugAssign) and isinstance(node.op, ast.Div) and not _is_path(node))
        )
    ]


def test_f29_money_code_has_no_float_and_no_division_that_makes_one() -> None:
    assert len(MONEY_CODE) > 150
    files = [file for file in MONEY_CODE if file.name not in _SECONDS_IN_TABLES]
    assert [place for file in files for place in _floats(file)] == []


@pytest.mark.parametrize(
    "code", ["half = total / 2", "total /= 2", "fee = total * 0.18", "fee = float(total)", "retry = wait(0.5)"]
)
def test_f29_a_float_is_seen_wherever_it_is_written(tmp_path: Path, code: str) -> None:
    (tmp_path / "one.py").write_text(f"total = 100\n{code}\n", encoding="utf-8")
    assert _floats(tmp_path / "one.py") == ["one.py:2"]


def _survives(minor: int) -> None:
    money = Money(minor, INR)
    message = MoneyMessage.FromString(money_to_proto(money).SerializeToString())
    assert money_from_proto(message) == money
    assert json_format.Parse(json_format.MessageToJson(message), MoneyMessage()) == message
    body = json.loads(json.dumps(_order_body(GatewayOrderRequest("r", money, {}, 12))))
    answer = read_answer({"id": "order_1", "amount": body["amount"], "currency": body["currency"]}, OrderAnswer)
    assert answer.to_domain().amount == money


@given(st.integers(1, 10**7))
@example(1)
@example(29)
@example(1_999)
@example(10**7)
def test_f29_every_paisa_survives_the_wire_json_and_the_gateway(minor: int) -> None:
    _survives(minor)


@pytest.mark.torture
@pytest.mark.timeout(3_600)
def test_f29_each_of_ten_million_paise_survives() -> None:
    """From the seed's number on, one after the other, as far as the time goes; in a quarter of an hour all of them."""
    ends, most = time.monotonic() + CAMPAIGN_SECONDS, 10**7
    start = random.Random(SEED).randrange(most)  # noqa: S311  (where to begin)
    for number in range(most):
        if number % 10_000 == 0 and time.monotonic() > ends:
            break
        _survives((start + number) % most + 1)
