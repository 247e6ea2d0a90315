import pytest

from kapda.domain.identity.password import Password, check_rule
from kapda.domain.shared.errors import InvalidArgumentError, Reason


@pytest.mark.parametrize(
    "text",
    [
        "Abcdefg1",
        "aB3xxxxx",
        "correcthorsebatt",
        "1234567890123456",
        "कुर्ता और दुपट्टा दोनों",
        "Пароль12",
        "Aa1" + "x" * 125,
    ],
)
def test_long_or_varied_passwords_keep_the_rule(text: str) -> None:
    check_rule(Password(text))


@pytest.mark.parametrize(
    ("text", "missing"),
    [
        ("Abcdef1", ["at least 8 characters"]),
        ("abcdefg1", ["an upper-case letter"]),
        ("ABCDEFG1", ["a lower-case letter"]),
        ("Abcdefgh", ["a digit"]),
        ("abc", ["at least 8 characters", "an upper-case letter", "a digit"]),
        ("correcthorsebat", ["an upper-case letter", "a digit"]),
    ],
)
def test_a_short_password_is_told_everything_it_lacks(text: str, missing: list[str]) -> None:
    with pytest.raises(InvalidArgumentError) as refusal:
        check_rule(Password(text))
    assert refusal.value.reason is Reason.PASSWORD_TOO_WEAK
    assert [violation.field for violation in refusal.value.violations] == ["password"] * len(missing)
    for violation, name in zip(refusal.value.violations, missing, strict=True):
        assert name in violation.description


def test_more_than_128_characters_are_refused() -> None:
    with pytest.raises(InvalidArgumentError) as refusal:
        check_rule(Password("Aa1" + "x" * 126))
    assert refusal.value.reason is Reason.PASSWORD_TOO_WEAK


def test_a_password_is_the_same_however_the_keyboard_composes_it() -> None:
    assert Password("Zo\u00eb-kurta-9") == Password("Zoe\u0308-kurta-9")


def test_the_limit_counts_what_the_normal_form_expands_to() -> None:
    with pytest.raises(InvalidArgumentError):
        check_rule(Password("\ufdfa" * 10))


def test_neither_repr_nor_refusal_shows_the_password() -> None:
    password = Password("hunter2")
    assert "hunter2" not in repr(password)
    with pytest.raises(InvalidArgumentError) as refusal:
        check_rule(password)
    assert "hunter2" not in f"{refusal.value} {refusal.value.violations}"
