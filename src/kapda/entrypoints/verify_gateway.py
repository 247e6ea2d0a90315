"""Runs the gateway's contract: on the emulator always, on Razorpay's test mode when its keys are given."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final

import httpx
from pydantic import SecretStr

from kapda.emulator import EmulatorSettings, serving
from kapda.entrypoints.container import Container
from kapda.entrypoints.settings import Environment, Settings
from kapda.gateway_contract import CheckResult, Customer, Subject, Vectors, run_suite
from kapda.gateway_contract.signatures import OLD_SECRET, SECRET

RAZORPAY: Final = "https://api.razorpay.com"
TEST_MODE: Final = "rzp_test_"
# Razorpay's lists were seen to lag by minutes; a receipt that is not found by then is taken for missing.
LIST_LAG_SECONDS: Final = 180.0
_EMULATED_KEY: Final = "rzp_test_verifyGateway"
_TIMEOUT_SECONDS: Final = 20.0


@dataclass(frozen=True, slots=True)
class Account:
    """An account in test mode and where it is. Raises ValueError for keys that could move real money."""

    key_id: str
    key_secret: SecretStr
    base_url: str = RAZORPAY
    patience: float = LIST_LAG_SECONDS

    def __post_init__(self) -> None:
        if not self.key_id.startswith(TEST_MODE):
            raise ValueError(f"the key id must begin with {TEST_MODE}: live keys are never used here")
        if not self.key_secret.get_secret_value():
            raise ValueError("the key secret is empty")


@dataclass(frozen=True, slots=True)
class Verification:
    """The results on the emulator and, unless it was not run, on Razorpay; check by check in the same order."""

    emulator: Sequence[CheckResult]
    razorpay: Sequence[CheckResult] | None


def account_of(key_id: str, key_secret: str) -> Account | None:
    """The account to verify; None without keys. Raises ValueError for half a pair and for keys that are not test mode's."""
    if not key_id and not key_secret:
        return None
    return Account(key_id, SecretStr(key_secret))


async def verify(account: Account | None) -> Verification:
    """Run the contract on a fresh emulator, and on the account if there is one."""
    emulated = await verify_emulator()
    return Verification(emulated, None if account is None else await verify_account(account))


async def verify_account(account: Account) -> Sequence[CheckResult]:
    """Run what needs nobody who pays. The account is left with a few orders of one rupee."""
    async with _subject(account, None) as subject:
        return await run_suite(subject)


async def verify_emulator() -> Sequence[CheckResult]:
    """Run everything, on a fresh emulator of this process."""
    settings = EmulatorSettings(key_id=_EMULATED_KEY, key_secret=SECRET)
    async with (
        serving(settings) as url,
        httpx.AsyncClient(base_url=url, trust_env=False, timeout=_TIMEOUT_SECONDS) as controls,
        _subject(Account(_EMULATED_KEY, SecretStr(SECRET), url, patience=0.0), _EmulatedCustomer(controls)) as subject,
    ):
        return await run_suite(subject)


@dataclass(frozen=True, slots=True)
class _EmulatedCustomer:
    controls: httpx.AsyncClient

    async def pay(self, order_id: str, outcome: str) -> dict[str, Any]:
        answer = await self.controls.post("/emulator/pay", json={"order_id": order_id, "outcome": outcome})
        paid: dict[str, Any] = answer.raise_for_status().json()
        return paid

    async def authorize_late(self, payment_id: str) -> None:
        (await self.controls.post(f"/emulator/payments/{payment_id}/authorize")).raise_for_status()


@asynccontextmanager
async def _subject(account: Account, customer: Customer | None) -> AsyncIterator[Subject]:
    # Two sets of wiring: the account's, and one that knows the vectors' secrets. Nothing of them connects to a database.
    wired = Container(settings=_settings(account, [SECRET]))
    vectors = Container(settings=_settings(Account(TEST_MODE, SecretStr(SECRET)), [SECRET, OLD_SECRET]))
    credentials = (account.key_id, account.key_secret.get_secret_value())
    gateway = wired.gateway()
    try:
        async with httpx.AsyncClient(
            base_url=account.base_url, auth=credentials, trust_env=False, timeout=_TIMEOUT_SECONDS
        ) as http:
            yield Subject(
                gateway=gateway,
                http=http,
                checkout_signatures=wired.checkout_signatures(),
                vectors=Vectors(checkout=vectors.checkout_signatures(), webhook=vectors.webhook_signatures()),
                customer=customer,
                patience=account.patience,
            )
    finally:
        await gateway.close()


def _settings(account: Account, webhook_secrets: Sequence[str]) -> Settings:
    unused = SecretStr("unused".ljust(32, "-"))
    return Settings(
        _env_file=None,
        environment=Environment.DEVELOPMENT,
        database_url=SecretStr("postgresql://unused"),
        redis_url=SecretStr("redis://unused"),
        jwt_keys=[SecretStr(f"unused:{unused.get_secret_value()}")],
        page_token_key=unused,
        signing_key=unused,
        link_key=unused,
        razorpay_base_url=account.base_url,
        razorpay_key_id=account.key_id,
        razorpay_key_secret=[account.key_secret],
        razorpay_webhook_secrets=[SecretStr(secret) for secret in webhook_secrets],
        razorpay_account_id="acc_unused",
    )
