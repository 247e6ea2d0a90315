"""Runs all checks, one after the other, on one account."""

from typing import Final

import httpx

from kapda.domain.payments.gateway import GatewayRefusedError, GatewayUnknownError
from kapda.gateway_contract import orders, payments, refunds, signatures
from kapda.gateway_contract.check import Check, CheckResult, ContractBrokenError, Verdict
from kapda.gateway_contract.subject import Subject

CHECKS: Final = (*orders.CHECKS, *payments.CHECKS, *refunds.CHECKS, *signatures.CHECKS)


async def run_suite(subject: Subject) -> tuple[CheckResult, ...]:
    """The result of every check, in their order; those that need a customer are left out where there is none."""
    return tuple([await _run(check, subject) for check in CHECKS])


async def _run(check: Check, subject: Subject) -> CheckResult:
    if check.needs_customer and subject.customer is None:
        return CheckResult(check.name, Verdict.NOT_POSSIBLE, "needs somebody who pays by hand")
    try:
        remark = await check.run(subject)
    except (ContractBrokenError, GatewayRefusedError) as error:
        return CheckResult(check.name, Verdict.FAILED, str(error))
    except GatewayUnknownError as error:
        return CheckResult(check.name, Verdict.FAILED, f"no answer that can be read: {error.detail}")
    except httpx.HTTPError as error:
        return CheckResult(check.name, Verdict.FAILED, f"no answer: {type(error).__name__} {error}")
    except (KeyError, TypeError, ValueError) as error:
        return CheckResult(check.name, Verdict.FAILED, f"an answer of another shape: {type(error).__name__} {error}")
    return CheckResult(check.name, Verdict.PASSED, remark or "")
