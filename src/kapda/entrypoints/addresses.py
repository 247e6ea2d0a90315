"""Checks addresses and URLs of settings at start-up: what a library would stumble over at the first call is refused by name.

No message repeats the value: a URL may hold a password.
"""

import re
from collections.abc import Callable, Sequence
from ipaddress import IPv6Address, ip_address
from urllib.parse import SplitResult, parse_qs, unquote, urlsplit

from pydantic import SecretStr

_ADDRESS = re.compile(r"(?P<host>\[[^\[\]]+\]|[^\[\]:]+):(?P<port>[0-9]{1,5})")
_NAME = re.compile(r"(?!-)[A-Za-z0-9_-]{1,63}(?<!-)(\.(?!-)[A-Za-z0-9_-]{1,63}(?<!-))*")
_LOOKS_LIKE_IPV4 = re.compile(r"[0-9.]+")
MAX_PORT = 65_535

POSTGRESQL = (
    "must be postgresql://user:password@host:port/name; "  # pragma: allowlist secret  (the form of one)
    "what is special in a password is percent-encoded"
)
REDIS = "must be redis://host:port/number, rediss://... or unix://...; what is special in a password is percent-encoded"
HTTP = "must be http://host or https://host, with a port and a path where needed and nothing else"
ADDRESS = "must be host:port, IPv6 in brackets, the port at most 65535"


def is_address(value: str) -> str:
    """A place to listen at. Raises ValueError."""
    parts = _ADDRESS.fullmatch(value)
    if parts is None or int(parts["port"]) > MAX_PORT or not _is_host(parts["host"]):
        raise ValueError(ADDRESS)
    return value


def host_and_port(address: str) -> tuple[str, int]:
    """An address that was checked, taken apart."""
    host, _, port = address.rpartition(":")
    return host.strip("[]"), int(port)


def is_database_url(value: SecretStr) -> SecretStr:
    """Where PostgreSQL is: a host, or the folder of a socket in the query. Raises ValueError."""
    _check(value.get_secret_value(), ("postgresql", "postgres"), POSTGRESQL, _is_database)
    return value


def is_redis_url(value: SecretStr) -> SecretStr:
    """Where Valkey or Redis is: a host, or a socket's path. Raises ValueError."""
    _check(value.get_secret_value(), ("redis", "rediss", "unix"), REDIS, _is_redis)
    return value


def passwords_sent_away(url: str) -> Sequence[str]:
    """The passwords in the URL of a database or of Redis that is on another machine: it may have one in two places."""
    parts = urlsplit(url)
    told = parse_qs(parts.query)
    if all(is_here(host) for host in (parts.hostname or "", *told.get("host", ()))):
        return ()
    return tuple({unquote(parts.password or ""), *told.get("password", ())})


def is_here(host: str) -> bool:
    """Whether a host, or what stands for one, is this very machine: a loopback address, a socket's folder, or nothing."""
    if host in ("", "localhost") or host.startswith("/"):
        return True
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def is_http_url(value: str) -> str:
    """Where somebody else's server is. Raises ValueError."""
    _check(value, ("http", "https"), HTTP, _is_bare)
    return value


def _check(value: str, schemes: tuple[str, ...], wanted: str, fits: Callable[[SplitResult], bool]) -> None:
    # urlsplit drops control characters in silence, and the library behind may not.
    if not value.isprintable() or " " in value:
        raise ValueError(wanted)
    try:
        parts = urlsplit(value)
        # Read here: the port raises only when it is asked for.
        fine = parts.scheme in schemes and (parts.port is None or parts.port > 0) and not parts.fragment and fits(parts)
    except ValueError:
        fine = False
    if not fine:
        # From None: the fault's own text has the value in it.
        raise ValueError(wanted) from None


def _is_database(parts: SplitResult) -> bool:
    return _is_host(_host(parts)) if parts.hostname else "host=" in parts.query


def _is_redis(parts: SplitResult) -> bool:
    if parts.scheme == "unix":
        return len(parts.path) > 1
    return _is_host(_host(parts)) and re.fullmatch(r"/?[0-9]{0,4}", parts.path) is not None


def _is_bare(parts: SplitResult) -> bool:
    return _is_host(_host(parts)) and not parts.query and "@" not in parts.netloc


def _host(parts: SplitResult) -> str:
    host = unquote(parts.hostname or "")
    return f"[{host}]" if ":" in host else host


def _is_host(host: str) -> bool:
    if not host.startswith("[") and not _LOOKS_LIKE_IPV4.fullmatch(host):
        return len(host) <= 253 and _NAME.fullmatch(host) is not None
    try:
        return isinstance(ip_address(host.strip("[]")), IPv6Address) is host.startswith("[")
    except ValueError:
        return False
