"""F29: no float comes near money, and every paisa arrives."""

import ast
import json
from pathlib import Path

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

DOMAIN = Path(kapda.domain.__path__[0])
# Where amounts are computed, kept, sent or read.
MONEY_CODE = (
    *(DOMAIN / "shared").glob("money.py"),
    *(DOMAIN / "ledger").rglob("*.py"),
    *(DOMAIN / "orders").rglob("*.py"),
    *(DOMAIN / "checkout").glob("pricing.py"),
    *(DOMAIN / "cart").glob("*.py"),
    *(DOMAIN / "catalog").glob("gst.py"),
    *(DOMAIN.parent / "entrypoints" / "grpc" / "translate").glob("*.py"),
    *(DOMAIN.parent / "adapters" / "postgres").glob("[!e_]*.py"),
    DOMAIN.parent / "adapters" / "razorpay" / "answers.py",
    DOMAIN.parent / "adapters" / "razorpay" / "gateway.py",
)
_NAMES = {"float", "round", "Decimal"}


def _seconds(tree: ast.Module) -> set[ast.AST]:
    """What stands in a constant that says so by its name is a time to wait, and no money."""
    constants = [node for node in tree.body if isinstance(node, ast.Assign | ast.AnnAssign) and node.value is not None]
    return {
        part
        for node in constants
        for target in (node.targets if isinstance(node, ast.Assign) else [node.target])
        if isinstance(target, ast.Name) and target.id.endswith("_SECONDS")
        for part in ast.walk(node)
    }


def _floats(file: Path) -> list[str]:
    found = []
    tree = ast.parse(file.read_text(encoding="utf-8"))
    seconds = _seconds(tree)
    for node in ast.walk(tree):
        if node in seconds:
            continue
        is_float = (
            (isinstance(node, ast.Constant) and isinstance(node.value, float))
            or (isinstance(node, ast.Name) and node.id in _NAMES)
            or (isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div))
        )
        if is_float:
            found.append(f"{file.name}:{getattr(node, 'lineno', 0)}")
    return found


def test_f29_money_code_has_no_float_and_no_division_that_makes_one() -> None:
    assert len(MONEY_CODE) > 40
    # Other seconds to wait, and paths of folders.
    allowed = {"constraint_errors.py", "refusals.py", "schema.py", "turns.py"}
    assert [place for file in MONEY_CODE if file.name not in allowed for place in _floats(file)] == []


@given(st.integers(1, 10**7))
@example(1)
@example(29)
@example(1_999)
@example(10**7)
def test_f29_every_paisa_survives_the_wire_json_and_the_gateway(minor: int) -> None:
    money = Money(minor, INR)
    message = MoneyMessage.FromString(money_to_proto(money).SerializeToString())
    assert money_from_proto(message) == money
    assert json_format.Parse(json_format.MessageToJson(message), MoneyMessage()) == message
    body = json.loads(json.dumps(_order_body(GatewayOrderRequest("r", money, {}, 12))))
    answer = read_answer({"id": "order_1", "amount": body["amount"], "currency": body["currency"]}, OrderAnswer)
    assert answer.to_domain().amount == money
