"""Whether secrets from the environment look like those that somebody typed to get going."""

import re
from collections.abc import Iterable, Iterator

# Half of what is asked of keys; others chose the length of some secrets.
_MIN_LENGTH = 16
# Of 32 random characters of hexadecimal digits, fewer than seven different ones turn up once in a billion times.
_MIN_DIFFERENT = 7
# What examples, documents and people in a hurry write.
_PLACEHOLDERS = re.compile(
    r"change.?me|replace.?me|secret|password|passw0rd|example|default|insecure|dummy|test.?key|your.?key|qwerty|12345678"
    r"|abcdefgh|letmein",
    re.IGNORECASE,
)


def weakness(secret: str) -> str | None:
    """What is wrong with a secret, without a word of it; None for one that may be random."""
    if len(secret) < _MIN_LENGTH:
        return f"is shorter than {_MIN_LENGTH} characters"
    # A text that is one piece again and again stands in its own double before the middle.
    if len(set(secret)) < _MIN_DIFFERENT or secret in (secret + secret)[1:-1]:
        return "repeats itself: make a random one"
    if _PLACEHOLDERS.search(secret):
        return "looks like a placeholder: make a random one"
    return None


def weak(secrets: Iterable[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    """Of secrets by their variables' names, each that is none: the name and what is wrong with it."""
    for name, secret in secrets:
        fault = weakness(secret)
        if fault is not None:
            yield name, fault


def repeated(secrets: Iterable[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    """Of secrets by their variables' names, each that came before: whoever learns one would have both."""
    seen: dict[str, str] = {}
    for name, secret in secrets:
        if secret in seen:
            yield name, f"has a secret that stands in {seen[secret]} already: make another one"
        seen.setdefault(secret, name)
