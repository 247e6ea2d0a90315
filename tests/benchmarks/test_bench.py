"""The bench runs and tells the truth about what it did. How fast it was is nobody's business here."""

import io
from pathlib import Path
from typing import Any

import msgspec
import pytest

from benchmarks.bars import bars_of
from benchmarks.bench import Settings
from benchmarks.figures import medians_of
from benchmarks.gateway import InstantGateway, pay
from benchmarks.job import Tally
from benchmarks.load import answer
from benchmarks.report import report
from benchmarks.scenes import measure_all
from kapda.adapters.razorpay.signatures import HmacCheckoutSignatures
from kapda.adapters.system.clock import SystemClock
from kapda.domain.payments.gateway import GatewayOrderRequest
from kapda.domain.shared.money import INR, Money


async def test_a_payment_is_captured_for_the_amount_its_order_was_opened_with() -> None:
    gateway = InstantGateway(SystemClock())
    order = await gateway.create_order(GatewayOrderRequest("receipt", Money(1_234_567, INR), {}, 12))
    paid = pay(order.id, "a secret")
    payment = await gateway.fetch_payment(paid.payment_id)
    assert payment is not None
    assert (payment.order_id, payment.amount, payment.captured) == (order.id, Money(1_234_567, INR), True)
    assert HmacCheckoutSignatures(["a secret"]).is_valid(order.id, paid.payment_id, paid.signature)


class NarrowPipe(io.RawIOBase):
    """Takes a few bytes at a time, as a pipe may."""

    def __init__(self) -> None:
        super().__init__()
        self.received = bytearray()

    def writable(self) -> bool:
        return True

    def write(self, data: Any, /) -> int:
        part = bytes(data)[:10]
        self.received += part
        return len(part)


def test_a_tally_larger_than_the_pipe_arrives_whole() -> None:
    tally, pipe = Tally(1.0, 20_000, {"Check": [0.1] * 20_000}, {}, 0.5), NarrowPipe()
    answer(tally, pipe)
    assert msgspec.json.decode(pipe.received, type=Tally) == tally


@pytest.mark.torture
def test_a_short_bench_ends_without_errors_and_with_every_promise_kept(tmp_path: Path) -> None:
    settings = Settings(runs=1, seconds=0.5, warm_up=0.1, shoppers=12, browsers=4, generators=1)
    result = measure_all(settings, tmp_path, lambda _line: None)
    # A busy machine may finish nothing of one kind in so short a time; what it does finish, it finishes well.
    assert [name for name, figure in result.medians().items() if figure.refusals] == ["sale"]
    assert not any(figure.refusals for figure in medians_of(result.several).values())
    assert result.broken_promises == []
    assert result.purchases_by_pgbench[0] > 0
    assert result.password_checks[0] > 0
    of_the_sale = next(bar for bar in bars_of(result) if "typed refusals" in bar.wanted)
    assert of_the_sale.reached, of_the_sale.measured
    report(result)
    # Of three runs: what is kept is read by people, in a repository.
    assert 3 * len(msgspec.json.format(msgspec.json.encode(result), indent=1)) < 100_000
