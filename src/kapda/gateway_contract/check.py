"""One check of the contract, and what came of it."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import Enum, unique
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kapda.gateway_contract.subject import Subject


class ContractBrokenError(Exception):
    """The gateway does not do what kapda relies on; the text says what was expected."""


@unique
class Verdict(Enum):
    """What came of a check."""

    PASSED = "passed"
    FAILED = "FAILED"
    NOT_POSSIBLE = "emulator only"
    """Somebody would have to pay by hand."""


@dataclass(frozen=True, slots=True)
class Check:
    """`run` returns a remark (may be empty), or raises when the contract is broken."""

    name: str
    run: Callable[["Subject"], Awaitable[str | None]]
    needs_customer: bool = False


@dataclass(frozen=True, slots=True)
class CheckResult:
    """What came of one check; `remark` says what was learnt, or what was expected in vain."""

    name: str
    verdict: Verdict
    remark: str = ""


def expect(holds: bool, what: str) -> None:
    """Raise ContractBrokenError with `what` was expected, unless it holds."""
    if not holds:
        raise ContractBrokenError(f"expected: {what}")


def expect_equal(found: object, wanted: object, what: str) -> None:
    """Raise ContractBrokenError when two things differ."""
    if found != wanted:
        raise ContractBrokenError(f"expected: {what} is {wanted!r}, not {found!r}")
