"""Amid a walk the gateway knows more than we do, but never less, and nothing else."""

from collections.abc import Set

from kapda.domain.ops.promises import Verdict
from tests.shop.desk import sums_of
from tests.shop.shop import Shop


async def check_what_is_known(shop: Shop, to_be_found: Set[str]) -> None:
    """Every promise holds; every payment and refund in our books is the gateway's to the paisa, and no payment of ours went
    back for more than it was; the rest of its captured payments are among those `to_be_found`."""
    report = await shop.container.check_promises().execute()
    assert [result for result in report.results if result.verdict is not Verdict.HOLDS] == []
    sums = await sums_of(shop)
    assert sums.captured == sums.found
    books = await shop.books()
    captured = {payment["id"]: payment["amount"] for payment in books["payments"] if payment["captured"]}
    ours = {row["gateway_payment_id"]: row for row in await shop.sql("SELECT * FROM payments")}
    assert {key: row["amount_minor"] for key, row in ours.items()}.items() <= captured.items()
    assert all(0 <= row["refund_reserved_minor"] <= row["amount_minor"] for row in ours.values())
    assert captured.keys() - ours.keys() <= to_be_found
    sent = {refund["id"]: refund["amount"] for refund in books["refunds"]}
    known = await shop.sql("SELECT gateway_refund_id, amount_minor FROM refunds WHERE gateway_refund_id IS NOT NULL")
    assert {row["gateway_refund_id"]: row["amount_minor"] for row in known}.items() <= sent.items()
