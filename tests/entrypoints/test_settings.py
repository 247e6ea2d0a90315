"""What a process says of an environment that is not fit to start in: the variable's name, and never its value."""

import base64
import random
import secrets

import pytest

from kapda.adapters.postgres.engine import make_engine
from kapda.adapters.redis.client import make_client
from kapda.entrypoints.secret_strength import weakness
from kapda.entrypoints.settings import SettingsError, load_settings

# A password that has to be percent-encoded.
STRONG = "N7%40v%2Fq2Zt%3A9wLx%23Rb4m"
FIT = {
    "ENVIRONMENT": "production",
    "REFLECTION": "false",
    "DATABASE_URL": f"postgresql://kapda:{secrets.token_urlsafe(24)}@db.internal:5432/kapda",
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


def test_who_does_not_say_where_this_is_is_in_production(environment: pytest.MonkeyPatch) -> None:
    environment.delenv("KAPDA_ENVIRONMENT")
    environment.delenv("KAPDA_REFLECTION")
    assert load_settings().environment.value == "production"
    environment.setenv("KAPDA_PAGE_TOKEN_KEY", "x" * 40)
    environment.setenv("KAPDA_WEB_URL", "http://127.0.0.1:3000")
    with pytest.raises(SettingsError) as refusal:
        load_settings()
    told = str(refusal.value).splitlines()
    assert [line.partition(":")[0] for line in told] == ["KAPDA_PAGE_TOKEN_KEY", "KAPDA_WEB_URL", "KAPDA_ENVIRONMENT"]
    environment.setenv("KAPDA_ENVIRONMENT", "development")
    load_settings()


@pytest.mark.parametrize("password", ["kapda", "postgres", "changeme", "a-password-that-is-long", "%61%61" * 12])
@pytest.mark.parametrize(
    ("name", "url"),
    [
        ("DATABASE_URL", "postgresql://kapda:{}@db.internal/kapda"),
        ("DATABASE_URL", "postgresql://kapda@10.0.0.7/kapda?password={}"),
        ("DATABASE_URL", "postgresql://kapda:{}@/kapda?host=db.internal"),
        ("REDIS_URL", "redis://:{}@redis.internal:6379/0"),
        ("REDIS_URL", "rediss://kapda:{}@[2001:db8::7]:6379/0"),
    ],
    ids=["database", "in the query", "host in the query", "redis", "redis by address"],
)
def test_a_password_that_anybody_guesses_goes_to_no_other_machine(
    environment: pytest.MonkeyPatch, name: str, url: str, password: str
) -> None:
    environment.setenv(f"KAPDA_{name}", url.format(password))
    with pytest.raises(SettingsError) as refusal:
        load_settings()
    assert str(refusal.value).startswith(f"KAPDA_{name}: ")
    assert password not in str(refusal.value)
    environment.setenv("KAPDA_ENVIRONMENT", "development")
    load_settings()


@pytest.mark.parametrize(
    ("name", "url"),
    [
        ("DATABASE_URL", "postgresql://kapda:kapda@127.0.0.1:5432/kapda"),
        ("DATABASE_URL", "postgresql://kapda:kapda@localhost/kapda"),
        ("DATABASE_URL", "postgresql:///kapda?host=/run/postgresql&password=kapda"),
        ("DATABASE_URL", "postgresql://kapda@db.internal/kapda"),
        ("REDIS_URL", "redis://:kapda@[::1]:6379/0"),
        ("REDIS_URL", "unix://kapda:kapda@/run/valkey.sock"),
        ("REDIS_URL", "redis://redis.internal"),
    ],
)
def test_on_this_machine_or_without_a_password_there_is_none_to_guess(
    environment: pytest.MonkeyPatch, name: str, url: str
) -> None:
    environment.setenv(f"KAPDA_{name}", url)
    load_settings()


def test_the_mail_servers_password_is_looked_at_where_it_is_sent_away(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("KAPDA_SMTP_PASSWORD", "letmein")
    with pytest.raises(SettingsError, match="KAPDA_SMTP_PASSWORD: is shorter"):
        load_settings()
    environment.setenv("KAPDA_SMTP_HOST", "127.0.0.1")
    load_settings()


@pytest.mark.parametrize(
    ("name", "other"),
    [
        ("PAGE_TOKEN_KEY", "LINK_KEY"),
        ("SIGNING_KEY", "LINK_KEY"),
        ("SIGNING_KEY", "JWT_KEYS"),
        ("OLD_SIGNING_KEYS", "SIGNING_KEY"),
        ("RAZORPAY_WEBHOOK_SECRETS", "SIGNING_KEY"),
        ("SMTP_PASSWORD", "PAGE_TOKEN_KEY"),
    ],
)
def test_one_secret_in_two_places_keeps_the_process_from_starting(
    environment: pytest.MonkeyPatch, name: str, other: str
) -> None:
    secret = FIT[other].rpartition(":")[2]
    environment.setenv(f"KAPDA_{name}", secret)
    with pytest.raises(SettingsError, match="already") as refusal:
        load_settings()
    assert f"KAPDA_{name}" in str(refusal.value)
    assert f"KAPDA_{other}" in str(refusal.value)
    assert secret not in str(refusal.value)


def test_a_rotation_to_the_same_key_is_none(environment: pytest.MonkeyPatch) -> None:
    key = secrets.token_urlsafe(48)
    environment.setenv("KAPDA_JWT_KEYS", f"k2:{key},k1:{key}")
    with pytest.raises(SettingsError, match=r"KAPDA_JWT_KEYS: .*already"):
        load_settings()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("JWT_KEYS", f"k1:{'k' * 40}"),
        ("JWT_KEYS", f"k1:{secrets.token_urlsafe(48)},k0:change-me-change-me-change-me-please"),
        ("PAGE_TOKEN_KEY", "correct-horse-password-battery-staple"),
        ("PAGE_TOKEN_KEY", "abcd" * 10),
        ("OLD_SIGNING_KEYS", f"{secrets.token_urlsafe(48)},{'k' * 40}"),
        ("RAZORPAY_WEBHOOK_SECRETS", "hook"),
        ("RAZORPAY_WEBHOOK_SECRETS", "my-webhook-secret-for-the-shop"),
    ],
    # Of their own: the tests run in several processes, which must agree on their names.
    ids=["one letter", "second key", "words", "a piece again and again", "an old key", "short", "says what it is"],
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


PLACES = {
    "DATABASE_URL": (
        [
            "nonsense",
            "mysql://kapda@db/kapda",
            "postgresql://",
            "postgresql:kapda",
            "postgresql://db:99999/kapda",
            "postgresql://db:port/kapda",
            "postgresql://db:0/kapda",
            "postgresql://[::::]/kapda",
            "postgresql://[/kapda",
            "postgresql://kapda:half#hidden@db/kapda",
            "postgresql://kapda:half/hidden@db/kapda",
            "postgresql://999.1.1.1/kapda",
            "postgresql://d b/kapda",
            "postgresql://db/kapda\n",
        ],
        [
            "postgresql://db",
            f"postgres://kapda:{STRONG}@db_1.internal:5432/kapda?ssl=require",
            "postgresql://[::1]:5432/kapda",
            "postgresql:///kapda?host=/var/run/postgresql",
        ],
    ),
    "REDIS_URL": (
        [
            "nonsense",
            "http://redis:6379",
            "redis://",
            "redis://redis:99999",
            "redis://[::::]",
            "redis://redis/kapda",
            "unix://",
        ],
        [
            "redis://redis",
            f"rediss://user:{STRONG}@redis.internal:6379/3",
            "redis://[::1]:6379/0",
            "unix:///run/valkey.sock?db=1",
        ],
    ),
    "GRPC_ADDRESS": (
        [
            "50051",
            ":50051",
            "127.0.0.1",
            "127.0.0.1:65536",
            "127.0.0.1:99999",
            "[::::]:1",
            "::1:50051",
            "[1.2.3.4]:1",
            "[]:1",
            "1.2.3:1",
            "a..b:1",
            "-a:1",
            "a b:1",
            "127.0.0.1:١",
            "127.0.0.1:-1",
        ],
        ["127.0.0.1:0", "0.0.0.0:65535", "[::]:50051", "[fe80::1]:1", "localhost:50051", "kapda-1.internal:50051"],
    ),
    "WEBHOOKS_ADDRESS": (["127.0.0.1:65536", "[::::]:1"], ["[::1]:8081"]),
    "WORKER_ADDRESS": (["127.0.0.1:65536", "[::::]:1"], ["[::1]:8082"]),
    "RAZORPAY_BASE_URL": (
        [
            "https://[",
            "https://",
            "https://api.razorpay.com:99999",
            "ftp://api.razorpay.com",
            "https://a@api.razorpay.com",
            "https://api.razorpay.com/?x=1",
            "https://api.razorpay.com/#x",
            "https://api razorpay.com",
        ],
        ["https://api.razorpay.com", "https://127.0.0.1:8443", "https://[::1]:8443/gateway"],
    ),
    "WEB_URL": (
        ["https://[", "https://kapda.shop/", "https://kapda.shop:70000", "kapda.shop"],
        ["https://kapda.shop/in"],
    ),
}


@pytest.mark.parametrize("name", PLACES)
def test_what_is_no_place_keeps_the_process_from_starting_and_is_named_without_its_value(
    environment: pytest.MonkeyPatch, name: str
) -> None:
    wrong, right = PLACES[name]
    for value in wrong:
        environment.setenv(f"KAPDA_{name}", value)
        with pytest.raises(SettingsError) as refusal:
            load_settings()
        # One line, of this variable; what it says is the same for every value.
        assert str(refusal.value).startswith(f"KAPDA_{name}: "), (value, str(refusal.value))
        assert "\n" not in str(refusal.value)
        assert "hidden" not in str(refusal.value)
    for value in right:
        environment.setenv(f"KAPDA_{name}", value)
        load_settings()


async def test_the_libraries_take_what_the_settings_take() -> None:
    for value in PLACES["DATABASE_URL"][1]:
        await make_engine(value).dispose()
    for value in PLACES["REDIS_URL"][1]:
        await make_client(value).aclose()


def test_what_is_random_is_never_called_weak() -> None:
    # Seeded: one in some millions of random secrets has such a word in it by chance.
    dice = random.Random(20)  # noqa: S311  (nobody's secrets)
    for _ in range(5_000):
        assert weakness(base64.urlsafe_b64encode(dice.randbytes(24)).decode()) is None
        assert weakness(dice.randbytes(32).hex()) is None


@pytest.mark.parametrize("secret", ["", "short", "a" * 64, "ab" * 32, "0123456789" * 4, "Passw0rd-Passw0rd-Passw0rd"])
def test_what_a_person_in_a_hurry_writes_is(secret: str) -> None:
    assert weakness(secret) is not None
