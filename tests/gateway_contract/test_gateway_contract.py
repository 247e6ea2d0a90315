"""The contract holds on the emulator, notices a gateway that breaks it, and never says it ran where it did not."""

from collections.abc import AsyncIterator
from dataclasses import replace
from io import StringIO
from typing import Any

import httpx
import pytest
from pydantic import SecretStr
from rich.console import Console
from typer.testing import CliRunner

from kapda.emulator import EmulatorSettings, serving
from kapda.entrypoints.cli.gateway_report import ExitStatus, show, status_of
from kapda.entrypoints.cli.main import app
from kapda.entrypoints.cli.payments import KEY_ID, KEY_SECRET
from kapda.entrypoints.verify_gateway import Account, Verification, account_of, verify, verify_account
from kapda.gateway_contract import CHECKS, CheckResult, Verdict

KEY, SECRET = "rzp_test_standIn000001", "a stand-in's secret"


@pytest.fixture
async def stand_in() -> AsyncIterator[str]:
    """Another emulator, in the place of Razorpay's test mode."""
    async with serving(EmulatorSettings(key_id=KEY, key_secret=SECRET, enforce_unique_receipts=True)) as url:
        yield url


def account(url: str, secret: str = SECRET) -> Account:
    return Account(KEY, SecretStr(secret), url, patience=0.0)


def printed(verification: Verification) -> str:
    paper = StringIO()
    show(verification, Console(width=200, file=paper))
    return paper.getvalue()


def names(results: Any, verdict: Verdict) -> set[str]:
    return {result.name for result in results if result.verdict is verdict}


async def test_the_emulator_keeps_the_contract_and_razorpay_is_not_said_to_have_run() -> None:
    verification = await verify(None)
    assert [result for result in verification.emulator if result.verdict is not Verdict.PASSED] == []
    assert [result.name for result in verification.emulator] == [check.name for check in CHECKS]
    assert len({check.name for check in CHECKS}) == len(CHECKS)
    assert verification.razorpay is None
    assert status_of(verification) is ExitStatus.NOT_RUN
    text = printed(verification)
    assert text.count("NOT RUN") == len(CHECKS) + 1
    assert "release gate: NOT GO" in text


async def test_with_keys_all_that_keys_can_do_is_run_and_the_rest_is_named(stand_in: str) -> None:
    verification = await verify(account(stand_in))
    assert verification.razorpay is not None
    assert names(verification.razorpay, Verdict.FAILED) == set()
    by_hand = {check.name for check in CHECKS if check.needs_customer}
    assert names(verification.razorpay, Verdict.NOT_POSSIBLE) == by_hand
    assert status_of(verification) is ExitStatus.GO
    text = printed(verification)
    assert f"Razorpay test mode: {len(CHECKS) - len(by_hand)} passed, {len(by_hand)} emulator only" in text
    assert "the account keeps receipts unique" in text
    assert "release gate: GO" in text


@pytest.mark.parametrize(
    ("fault", "broken"),
    [
        ({"kind": "wrong_amount", "operation": "get_order"}, "an order is made for its amount, receipt and notes"),
        ({"kind": "list_lag", "seconds": 600}, "an order is found by its receipt"),
        ({"kind": "html", "status": 200, "operation": "get_payment"}, "an unknown or malformed id is 400, not 404"),
        ({"kind": "timeout_after", "operation": "list_payments"}, "recent payments can be listed"),
    ],
)
async def test_a_gateway_that_breaks_the_contract_is_noticed(stand_in: str, fault: Any, broken: str) -> None:
    async with httpx.AsyncClient(base_url=stand_in) as controls:
        (await controls.put("/emulator/faults", json=[fault])).raise_for_status()
    results = await verify_account(account(stand_in))
    assert broken in names(results, Verdict.FAILED)
    assert status_of(Verification([], results)) is ExitStatus.BROKEN


async def test_wrong_keys_fail_the_checks(stand_in: str) -> None:
    results = await verify_account(account(stand_in, "not the secret"))
    assert "an order is made for its amount, receipt and notes" in names(results, Verdict.FAILED)


async def test_a_gateway_that_is_not_there_fails_the_checks(stand_in: str) -> None:
    results = await verify_account(replace(account(stand_in), base_url="http://127.0.0.1:9"))
    passed = names(results, Verdict.PASSED)
    assert passed == {check.name for check in CHECKS if "signatures" in check.name}
    assert all("no answer" in result.remark for result in results if result.verdict is Verdict.FAILED)


def test_a_failure_on_the_emulator_is_a_failure_whatever_razorpay_did() -> None:
    failed, passed = CheckResult("x", Verdict.FAILED, "expected: [more]"), CheckResult("x", Verdict.PASSED)
    assert status_of(Verification([failed], [passed])) is ExitStatus.BROKEN
    assert status_of(Verification([failed], None)) is ExitStatus.BROKEN
    assert status_of(Verification([passed], [failed])) is ExitStatus.BROKEN
    text = printed(Verification([failed], None))
    assert "expected: [more]" in text
    assert "release gate: NOT GO" in text


@pytest.mark.parametrize(("key_id", "key_secret"), [(KEY, ""), ("", SECRET), ("rzp_live_x", SECRET)])
def test_half_a_pair_and_live_keys_are_refused(key_id: str, key_secret: str) -> None:
    with pytest.raises(ValueError, match="key"):
        account_of(key_id, key_secret)
    ended = CliRunner().invoke(app, ["payments", "verify-gateway"], env={KEY_ID: key_id, KEY_SECRET: key_secret})
    assert ended.exit_code == ExitStatus.UNFIT_KEYS
    assert SECRET not in ended.output


def test_without_keys_there_is_no_account() -> None:
    assert account_of("", "") is None


def test_the_command_without_keys_ends_with_three() -> None:
    ended = CliRunner().invoke(app, ["payments", "verify-gateway"], env={KEY_ID: "", KEY_SECRET: ""})
    assert ended.exit_code == 3
    assert "Razorpay test mode: NOT RUN" in ended.output
    assert "release gate: NOT GO" in ended.output
