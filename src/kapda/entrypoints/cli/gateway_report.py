"""What `kapda payments verify-gateway` prints, and how it ends."""

from collections.abc import Sequence
from enum import IntEnum
from typing import Final

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from kapda.entrypoints.verify_gateway import Verification
from kapda.gateway_contract import CheckResult, Verdict

_NOT_RUN: Final = "NOT RUN"
_STYLES: Final = {Verdict.PASSED: "green", Verdict.FAILED: "bold red", Verdict.NOT_POSSIBLE: "dim"}


class ExitStatus(IntEnum):
    """How verify-gateway ends. Only GO lets a release through."""

    GO = 0
    BROKEN = 1
    UNFIT_KEYS = 2
    NOT_RUN = 3


def status_of(verification: Verification) -> ExitStatus:
    """How to end: a failure anywhere counts most, then that Razorpay was not run."""
    if _count(verification.emulator, Verdict.FAILED) or _count(verification.razorpay or (), Verdict.FAILED):
        return ExitStatus.BROKEN
    return ExitStatus.NOT_RUN if verification.razorpay is None else ExitStatus.GO


def show(verification: Verification, console: Console) -> None:
    """Print every check with both results, and what follows from them."""
    table = Table(title="The gateway's contract")
    for column in ("check", "emulator", "Razorpay test mode", "remark"):
        table.add_column(column, overflow="fold")
    for place, emulated in enumerate(verification.emulator):
        real = verification.razorpay[place] if verification.razorpay is not None else None
        remark = real.remark if real is not None and real.verdict is not Verdict.NOT_POSSIBLE else emulated.remark
        table.add_row(emulated.name, _styled(emulated), _NOT_RUN if real is None else _styled(real), escape(remark))
    console.print(table)
    console.print(f"emulator: {_summary(verification.emulator)}", highlight=False)
    said = f"{_NOT_RUN}, because no keys of a test account are given"
    if verification.razorpay is not None:
        said = _summary(verification.razorpay)
    console.print(f"Razorpay test mode: {said}", highlight=False)
    verdict = "GO" if status_of(verification) is ExitStatus.GO else "NOT GO"
    console.print(f"release gate: {verdict}", highlight=False)


def _styled(result: CheckResult) -> str:
    return f"[{_STYLES[result.verdict]}]{result.verdict.value}[/]"


def _summary(results: Sequence[CheckResult]) -> str:
    counts = ((_count(results, verdict), verdict.value) for verdict in Verdict)
    return ", ".join(f"{count} {word}" for count, word in counts if count)


def _count(results: Sequence[CheckResult], verdict: Verdict) -> int:
    return sum(result.verdict is verdict for result in results)
