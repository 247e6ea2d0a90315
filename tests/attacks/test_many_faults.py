"""F53: a request in which everything is wrong is refused by its own code, in few words.

A long refusal would be refused itself, by the transport and with another code.
"""

from typing import Any
from uuid import uuid4

import grpc

from tests.attacks.refusals import Refusal
from tests.attacks.stage import Stage

LINES = 100
MAX_NAMED = 20
# What gRPC carries for sure; the message counts twice.
MAX_BYTES = 8 * 1024


async def refused(stage: Stage, lines: list[dict[str, Any]]) -> Refusal:
    """The refusal of a delivery; nothing is written."""
    refusal = await stage.refused(
        "BatchReceiveStock", "admin", request_id=str(uuid4()), reason="a delivery", lines=lines
    )
    assert len(refusal.everything) + len(refusal.text.encode()) < MAX_BYTES
    return refusal


async def test_f53_a_hundred_fields_that_break_a_rule_are_an_invalid_argument_with_the_first_of_them(
    stage: Stage,
) -> None:
    refusal = await refused(stage, [{"variant_id": "no uuid", "quantity": -1} for _ in range(LINES)])
    assert (refusal.code, refusal.reason) == (grpc.StatusCode.INVALID_ARGUMENT, "VALIDATION_FAILED")
    assert 0 < len(refusal.fields) <= MAX_NAMED
    assert refusal.fields[0] == "lines[0].variant_id"


async def test_f53_a_hundred_variants_that_nobody_has_are_not_found_with_the_first_of_them(stage: Stage) -> None:
    refusal = await refused(stage, [{"sku": "₹" * 63 + str(number % 10), "quantity": 1} for number in range(LINES)])
    assert (refusal.code, refusal.reason) == (grpc.StatusCode.NOT_FOUND, "VARIANT_NOT_FOUND")
    assert refusal.fields == [f"lines[{number}].sku" for number in range(MAX_NAMED)]
    assert refusal.facts["refused_lines"] == str(LINES)
