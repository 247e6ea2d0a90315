"""Operations: promises and payment cases."""

from kapda.api.ops.v1 import promise_pb2
from kapda.domain.ops.promises import PromiseResult, Verdict
from kapda.domain.payments.payment_case import PaymentCase, Resolution
from kapda.entrypoints.grpc.translate.values import money_to_proto, timestamp

_VERDICTS = {verdict: promise_pb2.PromiseResult.Verdict.Value(f"VERDICT_{verdict.name}") for verdict in Verdict}

_RESOLUTIONS = {
    resolution: promise_pb2.PaymentCase.Resolution.Value(f"RESOLUTION_{resolution.name}") for resolution in Resolution
}
_OPEN = promise_pb2.PaymentCase.RESOLUTION_UNSPECIFIED
_BY_NUMBER = {number: resolution for resolution, number in _RESOLUTIONS.items()}


def resolution_from_proto(number: int) -> Resolution:
    """A resolution that the message's rules have let through."""
    return _BY_NUMBER[promise_pb2.PaymentCase.Resolution.ValueType(number)]


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
    """A case, open or decided."""
    return promise_pb2.PaymentCase(
        id=str(case.id),
        kind=case.kind.value,
        razorpay_payment_id=case.gateway_payment_id,
        checkout_id=str(case.checkout_id),
        amount=money_to_proto(case.amount),
        evidence=case.evidence,
        open_time=timestamp(case.opened_at),
        resolution=_RESOLUTIONS[case.resolution] if case.resolution is not None else _OPEN,
        allowed_resolutions=sorted(_RESOLUTIONS[resolution] for resolution in case.allowed),
        resolve_time=timestamp(case.resolved_at) if case.resolved_at is not None else None,
        refund_id=str(case.refund_id or ""),
    )
