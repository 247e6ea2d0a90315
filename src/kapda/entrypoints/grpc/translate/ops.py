"""Operations: promises and payment cases."""

from kapda.api.ops.v1 import promise_pb2
from kapda.domain.ops.promises import PromiseResult, Verdict
from kapda.domain.payments.payment import PaymentCase
from kapda.entrypoints.grpc.translate.values import money_to_proto, timestamp

_VERDICTS = {verdict: promise_pb2.PromiseResult.Verdict.Value(f"VERDICT_{verdict.name}") for verdict in Verdict}


def promise_to_proto(result: PromiseResult) -> promise_pb2.PromiseResult:
    """A promise with its evidence."""
    return promise_pb2.PromiseResult(
        number=result.number,
        title=result.title,
        verdict=_VERDICTS[result.verdict],
        evidence=result.evidence,
        violation_count=result.violations,
        sample_ids=result.samples,
    )


def case_to_proto(case: PaymentCase) -> promise_pb2.PaymentCase:
    """Money that awaits a decision."""
    return promise_pb2.PaymentCase(
        id=str(case.id),
        kind=case.kind.value,
        razorpay_payment_id=case.gateway_payment_id,
        checkout_id=str(case.checkout_id),
        amount=money_to_proto(case.amount),
        evidence=case.evidence,
        open_time=timestamp(case.opened_at),
    )
