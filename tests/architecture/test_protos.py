"""The contract's tools: what is committed is what they make, and they do refuse."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tools import protos


def test_generated_code_is_fresh() -> None:
    protos.check_fresh()


def test_protos_are_laid_out_and_commented_as_agreed() -> None:
    protos.check_format()
    protos.lint()


def test_the_contract_keeps_what_was_released() -> None:
    protos.check_breaking()


@pytest.fixture
def changed(tmp_path: Path) -> Callable[[str, str, str], Path]:
    """Copies the protos with one text of one file replaced."""

    def change(name: str, old: str, new: str) -> Path:
        copy = tmp_path / "proto"
        shutil.copytree(protos.PROTO, copy)
        text = (copy / name).read_text(encoding="utf-8")
        assert text.count(old) == 1, f"{old!r} is not once in {name}"
        (copy / name).write_text(text.replace(old, new), encoding="utf-8")
        return copy

    return change


MONEY = "kapda/api/common/v1/money.proto"
REASONS = "kapda/api/common/v1/error_reason.proto"
CARTS = "kapda/api/cart/v1/cart_service.proto"


@pytest.mark.parametrize(
    ("name", "old", "new", "complaint"),
    [
        (MONEY, "int64 amount_minor = 2", "int64 amount_minor = 3", "amount_minor"),
        (MONEY, "string currency_code = 1", "string currency = 1", "currency_code"),
        (REASONS, "ERROR_REASON_CART_EMPTY = 604;", "", "604"),
        (CARTS, "rpc GetCart(GetCartRequest)", "rpc FetchCart(GetCartRequest)", "GetCart"),
    ],
)
def test_a_change_that_breaks_clients_is_refused(
    changed: Callable[[str, str, str], Path], name: str, old: str, new: str, complaint: str
) -> None:
    with pytest.raises(protos.ProtosError, match=complaint):
        protos.check_breaking(changed(name, old, new))


def test_an_addition_is_not_refused(changed: Callable[[str, str, str], Path]) -> None:
    more = changed(
        REASONS, "ERROR_REASON_EMAIL_TAKEN = 500;", "ERROR_REASON_EMAIL_TAKEN = 500;\nERROR_REASON_NEW = 501;"
    )
    protos.check_breaking(more)


@pytest.mark.parametrize(
    ("name", "old", "new", "complaint"),
    [
        (CARTS, "// Asks to empty the cart.\n", "", "ClearCartRequest"),
        (CARTS, "service CartService {", "service Baskets {", "Service"),
    ],
)
def test_a_name_or_a_comment_amiss_is_refused(
    changed: Callable[[str, str, str], Path], name: str, old: str, new: str, complaint: str
) -> None:
    with pytest.raises(protos.ProtosError, match=complaint):
        protos.lint(changed(name, old, new))


def test_stale_generated_code_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for part in protos.GENERATED:
        shutil.copytree(protos.SOURCE / part, tmp_path / part)
    (tmp_path / "kapda/api/common/v1/money_pb2.py").write_text("stale", encoding="utf-8")
    (tmp_path / "kapda/api/common/v1/left_over_pb2.py").write_text("stale", encoding="utf-8")
    monkeypatch.setattr(protos, "SOURCE", tmp_path)
    with pytest.raises(protos.ProtosError) as caught:
        protos.check_fresh()
    assert str(caught.value).splitlines()[1:] == ["  common/v1/left_over_pb2.py", "  common/v1/money_pb2.py"]
