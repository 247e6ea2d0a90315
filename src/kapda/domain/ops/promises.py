"""The promises kapda makes, and what was found when they were recomputed.

A promise is held up by checks, each a question to the rows whose every answer is a broken case. A check that looked at
nothing says so: an empty shop keeps its promises cheaply.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import Enum, unique

# Enough to start looking; the count says how much more there is.
MAX_SAMPLES = 20

TITLES = {
    1: "An order exists only for a captured payment of exactly its amount and currency, made for its own checkout",
    2: "Stock is never negative and never oversold; its counters equal its ledger",
    3: "Same caller, same request id, same body: one effect and one answer",
    4: "Every captured rupee for one of our checkouts is on an order, refunded, or an open case",
    5: "Refunds never exceed what was captured; the books sum to zero",
    6: "A logged-out token is refused from the next call on",
    7: "Events and mails leave after the commit, at least once, events in order for each aggregate",
}


@unique
class Verdict(Enum):
    """HOLDS: looked at and in order. BROKEN: at least one case against it. NOT_BUILT: nothing to look at."""

    HOLDS = "holds"
    BROKEN = "broken"
    NOT_BUILT = "not_built"


@dataclass(frozen=True, slots=True)
class Finding:
    """One check's result: how many rows it looked at, how many break the promise, and which (at most MAX_SAMPLES)."""

    promise: int
    check: str
    looked_at: int
    violations: int
    samples: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PromiseResult:
    """A promise with the evidence for its verdict."""

    number: int
    title: str
    verdict: Verdict
    evidence: str
    violations: int
    samples: tuple[str, ...]


def results(findings: Iterable[Finding]) -> tuple[PromiseResult, ...]:
    """Every promise in order, judged by its findings; one without findings is not built."""
    by_promise: dict[int, list[Finding]] = {number: [] for number in TITLES}
    for finding in findings:
        by_promise[finding.promise].append(finding)
    return tuple(_result(number, found) for number, found in by_promise.items())


def _result(number: int, findings: Sequence[Finding]) -> PromiseResult:
    violations = sum(finding.violations for finding in findings)
    judged = Verdict.BROKEN if violations else Verdict.HOLDS
    parts = [f"{finding.check}: {finding.violations} of {finding.looked_at}" for finding in findings]
    return PromiseResult(
        number=number,
        title=TITLES[number],
        verdict=judged if findings else Verdict.NOT_BUILT,
        evidence="; ".join(parts),
        violations=violations,
        samples=tuple(sample for finding in findings for sample in finding.samples)[:MAX_SAMPLES],
    )
