"""Settings from `KAPDA_...` environment variables, checked at start-up.

Every fault is reported at once, by the variable's name and what it should be, never with its value: it may be a secret.
"""

import re
from collections.abc import Iterable, Iterator
from enum import StrEnum
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, ValidationError, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from kapda.entrypoints.addresses import (
    is_address,
    is_database_url,
    is_here,
    is_http_url,
    is_redis_url,
    passwords_sent_away,
)
from kapda.entrypoints.secret_strength import repeated, weak

PREFIX = "KAPDA_"
MIN_SECRET_LENGTH = 32
# Beyond that a machine needs its connections for something else than more processes.
MAX_SERVE_WORKERS = 32
_RATE = re.compile(r"[1-9][0-9]{0,6} per ([1-9][0-9]{0,2} )?(second|minute|hour|day)s?")
_KEY = re.compile(r"[A-Za-z0-9_.-]{1,64}:.{32,}")


class SettingsError(Exception):
    """The environment is not fit to start in; the text names each variable."""


class Environment(StrEnum):
    """Where this runs. Production refuses what is only convenient elsewhere."""

    DEVELOPMENT = "development"
    TEST = "test"
    PRODUCTION = "production"


def _split(value: Any) -> Any:
    return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value


def _is_key(value: SecretStr) -> SecretStr:
    if not _KEY.fullmatch(value.get_secret_value()):
        raise ValueError(f"must be id:secret, the secret at least {MIN_SECRET_LENGTH} characters")
    return value


def _is_rate(value: str) -> str:
    if not _RATE.fullmatch(value):
        raise ValueError("must be like 5 per 15 minutes")
    return value


Rate = Annotated[str, AfterValidator(_is_rate)]
Address = Annotated[str, AfterValidator(is_address)]
HttpUrl = Annotated[str, AfterValidator(is_http_url)]
Network = IPv4Network | IPv6Network
LongSecret = Annotated[SecretStr, Field(min_length=MIN_SECRET_LENGTH)]
SecretList = Annotated[list[SecretStr], NoDecode, BeforeValidator(_split), Field(min_length=1)]
KeyList = Annotated[
    list[Annotated[SecretStr, AfterValidator(_is_key)]], NoDecode, BeforeValidator(_split), Field(min_length=1)
]


class Settings(BaseSettings):
    """What can be set, with its default. `.env.example` says the same with examples."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_file=".env", env_ignore_empty=True, extra="ignore", frozen=True
    )

    # Nobody runs with a developer's leniency for having forgotten to say where this is.
    environment: Environment = Environment.PRODUCTION
    log_level: Annotated[str, Field(pattern="^(DEBUG|INFO|WARNING|ERROR)$")] = "INFO"

    database_url: Annotated[SecretStr, AfterValidator(is_database_url)]
    redis_url: Annotated[SecretStr, AfterValidator(is_redis_url)]

    grpc_address: Address = "127.0.0.1:50051"
    webhooks_address: Address = "127.0.0.1:8081"
    worker_address: Address = "127.0.0.1:8082"
    # Processes of `kapda serve` on one port, each with pools of its own; `--workers` wins.
    serve_workers: Annotated[int, Field(ge=1, le=MAX_SERVE_WORKERS)] = 1
    # Threads of each process that check passwords, a core and 19 MiB each; several processes have several anyway.
    password_threads: Annotated[int, Field(ge=1, le=16)] = 1
    reflection: bool = False
    # Networks of our own gateways, such as 10.1.2.0/28; only from there is x-forwarded-for read, and only its last hop.
    trusted_proxies: Annotated[list[Network], NoDecode, BeforeValidator(_split)] = Field(default_factory=list)
    # How long load balancers get to notice that this process is going away, in seconds.
    lame_duck_seconds: Annotated[float, Field(ge=0, le=60)] = 0.0

    # How often, as in `5 per 15 minutes`: about one account from one network; about passwords and tokens from one network;
    # anything by one caller; anything from one network by callers who did not sign in; refreshes with one token; what costs
    # much, by one caller.
    rate_auth: Rate = "5 per 15 minutes"
    rate_auth_network: Rate = "300 per minute"
    rate_caller: Rate = "1200 per minute"
    rate_network: Rate = "6000 per minute"
    rate_refused: Rate = "1200 per minute"
    rate_refresh: Rate = "30 per minute"
    rate_expensive: Rate = "30 per minute"

    jwt_keys: KeyList
    page_token_key: LongSecret
    link_key: LongSecret

    # Where the web front end is; links in mails lead there.
    web_url: Annotated[HttpUrl, Field(pattern="[^/]$")] = "http://127.0.0.1:3000"
    mail_from_name: Annotated[str, Field(min_length=1, max_length=100)] = "The Kapda Co."
    mail_from_address: Annotated[str, Field(pattern=r"^[A-Za-z0-9._+-]+@([A-Za-z0-9-]+\.)+[A-Za-z]{2,}$")] = (
        "no-reply@kapda.example"
    )
    # Without a host mails become files in the folder; production needs a host.
    smtp_host: str = ""
    smtp_port: Annotated[int, Field(ge=1, le=65_535)] = 587
    smtp_security: Annotated[str, Field(pattern="^(starttls|tls|none)$")] = "starttls"
    smtp_username: str = ""
    smtp_password: SecretStr = SecretStr("")
    mail_folder: Path = Path("mailbox")
    # What the secrets of signing keys are made from.
    signing_key: LongSecret
    # What they were made from before: signatures with keys of that time are still accepted. Empty but during a rotation.
    old_signing_keys: Annotated[list[LongSecret], NoDecode, BeforeValidator(_split)] = Field(default_factory=list)

    razorpay_base_url: HttpUrl = "https://api.razorpay.com"
    razorpay_key_id: Annotated[str, Field(min_length=1)]
    # The first one signs our calls; the others are still accepted in signatures made before a rotation.
    razorpay_key_secret: SecretList
    razorpay_webhook_secrets: SecretList
    # Calls of a process to Razorpay at once, for opening checkouts, and as many for whoever has paid.
    razorpay_threads: Annotated[int, Field(ge=1, le=256)] = 32
    razorpay_account_id: Annotated[str, Field(pattern="^acc_")]

    # Networks webhooks may come from, such as 52.66.75.174,18.96.225.0/26; empty lets everybody try the signature.
    webhook_senders: Annotated[list[Network], NoDecode, BeforeValidator(_split)] = Field(default_factory=list)

    # How often the worker looks through the account's recent payments, the net below webhooks and pollers.
    payments_sweep_seconds: Annotated[float, Field(ge=1, le=600)] = 120.0

    # For so long payments may come in without any webhook before the worker says so as an error.
    webhook_silence_minutes: Annotated[int, Field(ge=1, le=1_439)] = 15

    # In paise; nobody pays for shipping unless this is set.
    shipping_charge_minor: Annotated[int, Field(ge=0, le=1_000_000)] = 0
    # In paise: orders from this amount on are shipped free.
    shipping_free_from_minor: Annotated[int, Field(ge=0)] | None = None

    @model_validator(mode="after")
    def _fit_to_start(self) -> "Settings":
        if self.environment is Environment.DEVELOPMENT:
            return self
        secrets = list(_secrets(self))
        faults = [*weak(secrets), *repeated(secrets), *_unfit_for_production(self)]
        if faults and "environment" not in self.model_fields_set:
            faults.append(
                (_variable("environment"), "is not set, which means production; development is for your own machine")
            )
        if faults:
            raise ValueError("\n".join(f"{name}: {fault}" for name, fault in faults))
        return self


# What others chose.
_NOT_OF_OUR_CHOICE = frozenset({"razorpay_key_secret"})


def _variable(name: str) -> str:
    return f"{PREFIX}{name.upper()}"


def _secrets(settings: Settings) -> Iterator[tuple[str, str]]:
    """Every secret of our own choice that is set, by its variable's name."""
    for name in type(settings).model_fields:
        value: object = getattr(settings, name)
        for secret in value if isinstance(value, list) else [value]:
            if isinstance(secret, SecretStr) and name not in _NOT_OF_OUR_CHOICE:
                for text in _secret_parts(settings, name, secret.get_secret_value()):
                    if text:
                        yield _variable(name), text


def _secret_parts(settings: Settings, name: str, value: str) -> Iterable[str]:
    """What of a setting nobody may know."""
    if name in ("database_url", "redis_url"):
        return passwords_sent_away(value)
    if name == "smtp_password" and is_here(settings.smtp_host):
        return ()
    # A key is written behind its public id.
    return (value.partition(":")[2],) if name == "jwt_keys" else (value,)


def _unfit_for_production(settings: Settings) -> Iterator[tuple[str, str]]:
    """What is only convenient elsewhere."""
    if settings.environment is not Environment.PRODUCTION:
        return
    for name in ("razorpay_base_url", "web_url"):
        if not getattr(settings, name).startswith("https://"):
            yield _variable(name), "must be https in production"
    if not settings.smtp_host:
        yield _variable("smtp_host"), "must be set in production"
    if settings.mail_from_address.endswith(".example"):
        yield _variable("mail_from_address"), "must be an address of ours in production"
    if settings.reflection:
        yield _variable("reflection"), "must be false in production"


def load_settings() -> Settings:
    """The settings of this process. Raises SettingsError naming every variable that is missing or wrong."""
    try:
        return Settings()
    except ValidationError as error:
        raise SettingsError("\n".join(_line(fault) for fault in error.errors(include_url=False))) from None


def _line(fault: Any) -> str:
    message = str(fault["msg"]).removeprefix("Value error, ")
    name = "".join(str(part) for part in fault["loc"][:1]).upper()
    if fault["type"] == "missing":
        message = "is not set"
    return f"{PREFIX}{name}: {message}" if name else message
