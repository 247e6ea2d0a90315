"""What a process says of an environment that is not fit to start in: the variable's name, and never its value."""

import base64
import random
import secrets

import pytest

from kapda.entrypoints.secret_strength import weakness
from kapda.entrypoints.settings import SettingsError, load_settings

FIT = {
    "ENVIRONMENT": "production",
    "REFLECTION": "false",
    "DATABASE_URL": "postgresql://kapda:pw@db.internal:5432/kapda",
    "REDIS_URL": "redis://redis.internal:6379/0",
    "JWT_KEYS": f"k1:{secrets.token_urlsafe(48)}",
    "PAGE_TOKEN_KEY": secrets.token_urlsafe(48),
    "SIGNING_KEY": secrets.token_urlsafe(48),
    "LINK_KEY": secrets.token_urlsafe(48),
    "WEB_URL": "https://kapda.shop",
    "SMTP_HOST": "smtp.internal",
    "MAIL_FROM_ADDRESS": "no-reply@kapda.shop",
    "RAZORPAY_KEY_ID": "rzp_live_x",
    "RAZORPAY_KEY_SECRET": "given-by-razorpay",
    "RAZORPAY_WEBHOOK_SECRETS": secrets.token_urlsafe(24),
    "RAZORPAY_ACCOUNT_ID": "acc_Fashion0000001",
}


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> pytest.MonkeyPatch:
    """An environment fit for production, in a folder without a .env file."""
    monkeypatch.chdir(tmp_path_factory.mktemp("nowhere"))
    for name, value in FIT.items():
        monkeypatch.setenv(f"KAPDA_{name}", value)
    return monkeypatch


def test_a_fit_environment_starts(environment: pytest.MonkeyPatch) -> None:
    assert load_settings().environment.value == "production"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("JWT_KEYS", f"k1:{'k' * 40}"),
        ("JWT_KEYS", f"k1:{secrets.token_urlsafe(48)},k0:change-me-change-me-change-me-please"),
        ("PAGE_TOKEN_KEY", "correct-horse-password-battery-staple"),
        ("PAGE_TOKEN_KEY", "abcd" * 10),
        ("RAZORPAY_WEBHOOK_SECRETS", "hook"),
        ("RAZORPAY_WEBHOOK_SECRETS", "my-webhook-secret-for-the-shop"),
    ],
    # Of their own: the tests run in several processes, which must agree on their names.
    ids=["one letter", "second key", "words", "a piece again and again", "short", "says what it is"],
)
def test_a_weak_secret_keeps_every_process_but_a_developers_from_starting(
    environment: pytest.MonkeyPatch, name: str, value: str
) -> None:
    environment.setenv(f"KAPDA_{name}", value)
    with pytest.raises(SettingsError) as refusal:
        load_settings()
    assert f"KAPDA_{name}: " in str(refusal.value)
    assert value.rpartition(":")[2] not in str(refusal.value)
    environment.setenv("KAPDA_ENVIRONMENT", "development")
    load_settings()


def test_every_weak_secret_is_named_at_once(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("KAPDA_JWT_KEYS", f"k1:{'x' * 40}")
    environment.setenv("KAPDA_PAGE_TOKEN_KEY", "x" * 40)
    with pytest.raises(SettingsError, match=r"KAPDA_JWT_KEYS: .*\nKAPDA_PAGE_TOKEN_KEY: "):
        load_settings()


def test_what_is_missing_is_named(environment: pytest.MonkeyPatch) -> None:
    environment.delenv("KAPDA_JWT_KEYS")
    with pytest.raises(SettingsError, match="KAPDA_JWT_KEYS: is not set"):
        load_settings()


def test_what_is_random_is_never_called_weak() -> None:
    # Seeded: one in some millions of random secrets has such a word in it by chance.
    dice = random.Random(20)  # noqa: S311  (nobody's secrets)
    for _ in range(5_000):
        assert weakness(base64.urlsafe_b64encode(dice.randbytes(24)).decode()) is None
        assert weakness(dice.randbytes(32).hex()) is None


@pytest.mark.parametrize("secret", ["", "short", "a" * 64, "ab" * 32, "0123456789" * 4, "Passw0rd-Passw0rd-Passw0rd"])
def test_what_a_person_in_a_hurry_writes_is(secret: str) -> None:
    assert weakness(secret) is not None
