"""What came of everything: a token that is refused, the promises recomputed, Razorpay's books beside kapda's."""

import asyncio
from typing import Final

from kapda.api.identity.v1 import identity_service_pb2
from kapda.api.ops.v1 import ops_service_pb2
from kapda.api.ops.v1.promise_pb2 import PromiseResult
from kapda.api.orders.v1 import order_pb2
from kapda.entrypoints.cli.demo.stage import Stage
from kapda.entrypoints.cli.demo.story import rupees
from kapda.entrypoints.cli.wire import RefusedError

_DELIVERED_WITHIN_SECONDS: Final = 15.0
_PAGE_SIZE: Final = 100
_PAGES: Final = 100
_VERDICTS: Final = {
    PromiseResult.VERDICT_HOLDS: "[green]holds[/]",
    PromiseResult.VERDICT_NOT_BUILT: "[yellow]not built yet[/]",
}


async def a_log_out(stage: Stage) -> None:
    """The token of a session that was ended, used once more."""
    story = stage.story
    story.act("10. Logged out is logged out")
    leaver = await stage.newcomer("Rohan Das")
    me = identity_service_pb2.GetMeRequest()
    await leaver.send(stage.wire.identity.GetMe, me)
    with story.step() as say:
        await leaver.send(stage.wire.identity.LogOut, identity_service_pb2.LogOutRequest())
        say(f"{leaver.name} logs out; the token would be good for a quarter of an hour")
    try:
        await leaver.send(stage.wire.identity.GetMe, me)
    except RefusedError as refusal:
        story.expect(refusal.reason == "SESSION_REVOKED", f"the very next call is refused: {refusal.reason}")
    else:
        story.fail("a logged-out token was taken")
    stage.buyers.remove(leaver)


async def the_promises(stage: Stage) -> None:
    """Every promise, recomputed from the database by OpsService.CheckPromises."""
    story = stage.story
    story.act("13. The promises, recomputed from the database")
    with story.step() as say:
        request = ops_service_pb2.CheckPromisesRequest()
        promises = (await stage.admin.send(stage.wire.ops.CheckPromises, request)).message.promises
        say(f"OpsService.CheckPromises: {len(promises)} promises")
    table = story.table("", "promise", "verdict", "evidence: what breaks it, of how many")
    for promise in promises:
        verdict = _VERDICTS.get(promise.verdict, "[bold red]BROKEN[/]")
        table.add_row(str(promise.number), promise.title, verdict, promise.evidence.replace("; ", "\n"))
    story.show(table)
    for promise in promises:
        if promise.verdict not in _VERDICTS:
            story.fail(f"promise {promise.number} is broken: {promise.evidence}; such as {list(promise.sample_ids)}")
    built = [promise for promise in promises if promise.verdict != PromiseResult.VERDICT_NOT_BUILT]
    held = sum(promise.verdict == PromiseResult.VERDICT_HOLDS for promise in built)
    story.expect(bool(built) and held == len(built), f"{held} of {len(built)} promises that are built hold")


async def the_books(stage: Stage) -> None:
    """What Razorpay captured is on orders, has gone back, or is in open cases, to the paisa."""
    story = stage.story
    story.act("12. Razorpay's books beside kapda's")
    webhooks = await stage.page.settled_deliveries(_DELIVERED_WITHIN_SECONDS)
    delivered = sum(webhook.is_delivered for webhook in webhooks)
    story.expect(delivered == len(webhooks) > 0, f"{delivered} of {len(webhooks)} webhooks are delivered")
    totals = await stage.page.totals()
    found = await asyncio.gather(*(buyer.orders() for buyer in stage.buyers))
    orders = [order for some in found for order in some if order.state == order_pb2.Order.STATE_PLACED]
    ordered = sum(order.total.amount_minor for order in orders)
    cases = await _open_cases(stage)
    table = story.table("", "amount")
    table.columns[1].justify = "right"
    table.add_row("Razorpay captured", rupees(totals.captured))
    table.add_row(f"kapda: {len(orders)} orders of {len(stage.buyers)} customers", rupees(ordered))
    table.add_row("Razorpay sent back", rupees(totals.refunded))
    table.add_row(f"kapda: {len(cases)} open cases", rupees(sum(cases)))
    story.show(table)
    story.expect(
        totals.captured == ordered + totals.refunded + sum(cases),
        "captured = orders + refunds + open cases, to the paisa",
    )


async def _open_cases(stage: Stage) -> list[int]:
    amounts: list[int] = []
    request = ops_service_pb2.ListOpenCasesRequest(page_size=_PAGE_SIZE)
    for _ in range(_PAGES):
        answer = (await stage.admin.send(stage.wire.ops.ListOpenCases, request)).message
        amounts += [case.amount.amount_minor for case in answer.cases]
        if not answer.next_page_token:
            break
        request.page_token = answer.next_page_token
    return amounts
