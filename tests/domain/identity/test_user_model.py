import pytest
from hypothesis import given
from hypothesis import strategies as st

from kapda.domain.identity.user import DisplayName, EmailAddress, Role, User
from kapda.domain.shared.errors import InvalidArgumentError, Reason
from kapda.domain.shared.ids import UserId
from tests.fakes.identity import CountingIds, SettableClock


@pytest.mark.parametrize(
    "text",
    [
        "asha@example.in",
        "a@b.co",
        "first.last+kapda@mail.example.co.in",
        "o'brien@example.com",
        "user@xn--c1yn36f.example",
        f"{'a' * 64}@example.com",
        f"a@{'b' * 63}.{'c' * 63}.{'d' * 63}.{'e' * 55}.in",
    ],
)
def test_an_ordinary_address_is_kept_as_written(text: str) -> None:
    assert EmailAddress(text).text == text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "asha",
        "asha@",
        "@example.in",
        "asha@example",
        "asha@@example.in",
        "asha@example..in",
        ".asha@example.in",
        "asha.@example.in",
        "as..ha@example.in",
        "asha@-example.in",
        "asha@example-.in",
        "asha@127.0.0.1",
        "asha@[127.0.0.1]",
        "asha @example.in",
        " asha@example.in",
        "asha@example.in\n",
        "asha@example.in\r\nBcc: all@example.in",
        "asha@example.in\x00",
        "аsha@example.in",  # a Cyrillic first letter
        "आशा@example.in",
        '"asha"@example.in',
        "Asha <asha@example.in>",
        f"{'a' * 65}@example.com",
        f"a@{'b' * 63}.{'c' * 63}.{'d' * 63}.{'e' * 58}.in",
    ],
)
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(InvalidArgumentError) as refusal:
        EmailAddress(text)
    assert refusal.value.reason is Reason.VALIDATION_FAILED
    assert [violation.field for violation in refusal.value.violations] == ["email"]


def test_spellings_that_differ_in_case_are_one_address() -> None:
    assert EmailAddress("Asha@Example.IN").key == EmailAddress("asha@example.in").key == "asha@example.in"


@given(st.text(max_size=300))
def test_an_address_is_refused_or_safe_to_put_in_a_mail_header(text: str) -> None:
    try:
        address = EmailAddress(text)
    except InvalidArgumentError:
        return
    assert address.text.isascii()
    assert address.text.isprintable()
    assert " " not in address.text
    assert "," not in address.text


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("Asha", "Asha"),
        ("  Asha Rao \t", "Asha Rao"),
        ("आशा राव", "आशा राव"),
        ("ക്\u200dഷ", "ക്\u200dഷ"),  # a joiner that Malayalam spells with
        ("Zoe\u0308", "Zo\u00eb"),
        ("அ" * 100, "அ" * 100),
    ],
)
def test_a_name_is_kept_in_one_normal_form(typed: str, kept: str) -> None:
    assert DisplayName(typed).text == kept


@pytest.mark.parametrize(
    "typed",
    ["", "   ", "\u200d\u200c", "Asha\nRao", "Asha\x00", "\u202eahsA", "A\u2066b\u2069", "a" * 101, "Asha\u2028Rao"],
)
def test_a_name_that_is_blank_too_long_or_disguised_is_refused(typed: str) -> None:
    with pytest.raises(InvalidArgumentError) as refusal:
        DisplayName(typed)
    assert [violation.field for violation in refusal.value.violations] == ["display_name"]


def test_everybody_starts_as_a_customer_and_no_repr_shows_the_hash() -> None:
    now = SettableClock().now()
    user = User.signed_up(UserId(CountingIds().new()), EmailAddress("a@b.in"), DisplayName("A"), "the-hash", now)
    assert user.role is Role.CUSTOMER
    assert user.created_at == user.updated_at == now
    assert "the-hash" not in repr(user)
