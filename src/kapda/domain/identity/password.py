"""The rule for passwords: long, or varied; never a common one."""

import unicodedata
from dataclasses import dataclass, field

from kapda.domain.shared.errors import FieldViolation, InvalidArgumentError, Reason, UnauthenticatedError

MIN_LENGTH = 8
# From here on length alone is enough.
MIN_PHRASE_LENGTH = 16
# Far beyond what people type, and a bound on the work one request can ask for.
MAX_LENGTH = 128


@dataclass(frozen=True, slots=True)
class Password:
    """A password as typed, in normal form KC, so that every keyboard's spelling of it is the same password.

    Any text at all: at log-in a guess need not keep the rule. Its text never shows in a repr.
    """

    text: str = field(repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "text", unicodedata.normalize("NFKC", self.text))


def check_rule(password: Password) -> None:
    """Raises InvalidArgumentError (PASSWORD_TOO_WEAK) on `password`, naming everything that is missing.

    At least 8 characters with an upper-case letter, a lower-case letter and a digit, or at least 16 of anything; at
    most 128. Scripts without case have the second way.
    """
    text = password.text
    if len(text) > MAX_LENGTH:
        raise too_weak(f"must not be longer than {MAX_LENGTH} characters")
    if len(text) >= MIN_PHRASE_LENGTH:
        return
    missing = [
        name
        for name, present in (
            (f"at least {MIN_LENGTH} characters", len(text) >= MIN_LENGTH),
            ("an upper-case letter", any(character.isupper() for character in text)),
            ("a lower-case letter", any(character.islower() for character in text)),
            ("a digit", any(character.isdecimal() for character in text)),
        )
        if not present
    ]
    if missing:
        raise too_weak(*(f"needs {name}, or {MIN_PHRASE_LENGTH} characters of any kind" for name in missing))


def too_common() -> InvalidArgumentError:
    """The refusal of a password that many people have, or that is made of the user's own name or address."""
    return too_weak("is too easy to guess")


def too_weak(*descriptions: str) -> InvalidArgumentError:
    """The refusal with one violation for each description."""
    return InvalidArgumentError(
        Reason.PASSWORD_TOO_WEAK,
        f"password: {'; '.join(descriptions)}",
        violations=tuple(FieldViolation("password", description) for description in descriptions),
    )


def credentials_invalid() -> UnauthenticatedError:
    """The refusal of a wrong password, in the words that also refuse an address without an account."""
    return UnauthenticatedError(Reason.CREDENTIALS_INVALID, "wrong e-mail address or password")
