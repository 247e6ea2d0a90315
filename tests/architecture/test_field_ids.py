"""Failures that other shops have had, by their ids: each has a test of its name, and no tidying may lose it.

A test carries its ids in its name, `test_f1_f55_...`; what each id stands for is said once, here.
"""

import re
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[1]

FAILURES = {
    "f1": "two buyers of the last piece both succeed",
    "f2": "stock is checked in one transaction and taken in another, with the payment in between",
    "f3": "lines of one variant are each checked alone",
    "f4": "the counter of pieces drifts from its rows",
    "f6": "an order without a hold or a sale of its stock",
    "f7": "locks held during a call to the gateway stall everybody else",
    "f9": "rows locked in no order deadlock",
    "f10": "a cancellation never gives the stock back, or gives it back twice",
    "f11": "a late event revives a cancelled order or moves its stock again",
    "f14": "a double click makes two orders",
    "f15": "the claim of a request is invisible to its twin",
    "f16": "a claim whose process died is stuck for ever",
    "f18": "browser and webhook race to two payments or captures",
    "f19": "after one failure the purchase can never be completed",
    "f20": "what was bought changes while it is paid for: money, and silence",
    "f21": "paid, and the browser never comes back",
    "f23": "a webhook half processed is lost or doubled",
    "f25": "the proof of a cheap payment is taken for a dear order",
    "f26": "one capture is recorded twice",
    "f27": "a customer pays twice for one order",
    "f29": "a paisa lost to a float",
    "f30": "refunds at once exceed what was captured; a negative refund",
    "f31": "a refund whose answer was lost is made again or never found",
    "f32": "an older event takes a final state back",
    "f34": "a missing, blank or doubled signature",
    "f36": "a guest's cart is lost or doubled at sign-in",
    "f37": "the same variant in both carts is deleted or doubled",
    "f39": "a stale price is sold, or changed in silence",
    "f41": "statements that grow with the rows",
    "f42": "an event is told as the rows are now, not as they were",
    "f43": "an event leaves before its commit, or is lost after it",
    "f53": "a refusal too long for its transport arrives as another",
    "f55": "a process told to go drops what it has begun",
    "r1": "failed, then authorised days later",
    "r3": "a webhook that is answered too late",
    "r4": "the webhook's secret is changed",
    "r5": "webhooks are off for a day",
    "r6": "a refund under way, and another body under its key",
    "r10": "an order at the gateway whose making was not answered",
}


def _named() -> set[str]:
    """The ids in the names of tests."""
    found: set[str] = set()
    for file in TESTS.rglob("test_*.py"):
        for name in re.findall(r"^(?:async )?def test_(\w+)\(", file.read_text(encoding="utf-8"), re.MULTILINE):
            for part in name.split("_"):
                if not re.fullmatch(r"[a-z]+\d+", part):
                    break
                found.add(part)
    return found


@pytest.mark.parametrize("failure", FAILURES)
def test_every_failure_known_from_elsewhere_has_a_test_of_its_name(failure: str) -> None:
    assert failure in _named(), FAILURES[failure]
