"""What one emulator is told at its start."""

from dataclasses import dataclass

from kapda.emulator.postbox import parse_address

DAY_SECONDS = 24 * 60 * 60


@dataclass(frozen=True, slots=True, kw_only=True)
class EmulatorSettings:
    """Everything that shapes an emulator; times are seconds.

    Raises:
        ValueError: a webhook address without a secret, or a number out of its range.
    """

    key_id: str
    key_secret: str
    host: str = "127.0.0.1"
    port: int = 8790
    account_id: str = "acc_KapdaEmulator1"
    seed: int = 1
    # Unix seconds. Given, the clock stands there and moves only by POST /emulator/clock: every run is the same to the byte.
    # Not given, it is the machine's clock, which the same endpoint moves forward.
    clock_start: float | None = None
    webhook_url: str | None = None
    webhook_secret: str = ""
    # What the account does with an authorised payment whose order says nothing about capture.
    auto_capture: bool = True
    # Accounts differ: some refuse a receipt that was used before even when `unique_receipt` was not sent.
    enforce_unique_receipts: bool = False
    # True: a refund is answered `pending` and stays so until POST /emulator/refunds/{id}/process or /fail.
    refunds_stay_pending: bool = False
    webhook_timeout: float = 5.0
    webhook_concurrency: int = 32
    # The n-th retry waits base * 2**(n-1); no retry begins later than the window after the event.
    retry_base: float = 6.0
    retry_window: float = DAY_SECONDS
    # Finished deliveries that stay listed and can be replayed; older ones are forgotten to keep memory flat.
    kept_deliveries: int = 20_000

    def __post_init__(self) -> None:
        if not self.key_id or not self.key_secret:
            raise ValueError("key_id and key_secret must not be empty")
        if self.webhook_url is not None and not self.webhook_secret:
            raise ValueError("webhook_secret must not be empty when webhook_url is set")
        if self.webhook_url is not None:
            parse_address(self.webhook_url)
        if self.retry_base <= 0 or self.webhook_timeout <= 0:
            raise ValueError("retry_base and webhook_timeout must be positive")
        if self.webhook_concurrency < 1 or self.kept_deliveries < 1:
            raise ValueError("webhook_concurrency and kept_deliveries must be at least 1")
