"""An address that a courier can find and a tax office can place."""

from dataclasses import replace
from typing import Any

import pytest

from kapda.domain.shared.address import _STATES, Address
from kapda.domain.shared.errors import InvalidArgumentError, Reason
from tests.fakes.samples import HOME


def violations(**changed: str) -> list[str]:
    changes: dict[str, Any] = changed
    with pytest.raises(InvalidArgumentError) as refused:
        replace(HOME, **changes)
    assert refused.value.reason is Reason.VALIDATION_FAILED
    return [violation.field for violation in refused.value.violations]


@pytest.mark.parametrize(
    ("state_code", "pin_code", "gst_code"),
    [
        ("MH", "411004", "27"),
        ("DL", "110001", "07"),
        ("KA", "560001", "29"),
        ("TS", "500032", "36"),
        ("PY", "605001", "34"),
        ("PY", "533464", "34"),  # Yanam lies inside Andhra Pradesh's zone
        ("LD", "682555", "31"),
        ("UK", "248001", "05"),
    ],
)
def test_an_address_names_the_place_of_supply(state_code: str, pin_code: str, gst_code: str) -> None:
    assert replace(HOME, state_code=state_code, pin_code=pin_code).gst_state_code == gst_code


def test_every_state_and_union_territory_has_its_own_gst_code() -> None:
    codes = [code for code, _ in _STATES.values()]
    assert len(_STATES) == 36
    assert len(set(codes)) == 36
    assert all(len(code) == 2 and code.isdecimal() for code in codes)


@pytest.mark.parametrize("pin_code", ["", "11000", "1100011", "011000", "11000a", "11 001", "१२३४५६", "110001\n"])
def test_what_is_no_pin_code_is_refused(pin_code: str) -> None:
    assert violations(pin_code=pin_code) == ["address.pin_code"]


def test_a_pin_code_of_another_zone_is_refused() -> None:
    assert violations(pin_code="110001") == ["address.pin_code"]


@pytest.mark.parametrize("phone", ["", "9820012345", "+0982001234", "+91 98200 12345", "+91982001234567890", "+91x"])
def test_what_is_no_e164_number_is_refused(phone: str) -> None:
    assert violations(phone=phone) == ["address.phone"]


@pytest.mark.parametrize("state_code", ["", "XX", "mh", "27", "Maharashtra"])
def test_an_unknown_state_is_refused(state_code: str) -> None:
    assert violations(state_code=state_code) == ["address.state_code"]


@pytest.mark.parametrize("field", ["name", "line1", "city"])
@pytest.mark.parametrize(
    "text", ["", "   ", "x" * 121, "with\ttab", "with\nline", "with\x7fdelete", "a\u2028b", "half a \ud83d"]
)
def test_an_empty_overlong_or_unprintable_text_is_refused(field: str, text: str) -> None:
    assert violations(**{field: text}) == [f"address.{field}"]


def test_a_second_line_may_be_missing_but_not_unprintable() -> None:
    assert replace(HOME, line2="").line2 == ""
    assert violations(line2="a\x00b") == ["address.line2"]
    assert violations(line2="x" * 121) == ["address.line2"]


def test_every_violation_is_told_at_once() -> None:
    with pytest.raises(InvalidArgumentError) as refused:
        Address("", "1", "", "", "", "XX", "1")
    assert [violation.field for violation in refused.value.violations] == [
        "address.name",
        "address.line1",
        "address.city",
        "address.phone",
        "address.state_code",
        "address.pin_code",
    ]


def test_indian_names_and_scripts_are_welcome() -> None:
    assert replace(HOME, name="आशा कुलकर्णी", city="पुणे").name == "आशा कुलकर्णी"


NFD = "Kavye\u0301"


def test_one_address_has_one_spelling() -> None:
    twin = Address(f" {NFD} ", "+919876543210", "12 Rue\u0301", "", " Pune\u0301", "MH", "411004")
    assert twin == Address("Kavy\u00e9", "+919876543210", "12 Ru\u00e9", "", "Pun\u00e9", "MH", "411004")
    assert twin.name == "Kavy\u00e9"


@pytest.mark.parametrize("character", ["\u202e", "\u200b", "\u200f", "\u2066", "\ufeff", "\u00ad", "\ue000", "\u2028"])
@pytest.mark.parametrize("field", ["name", "line1", "line2", "city"])
def test_what_nobody_sees_or_what_turns_the_writing_stands_in_no_address(field: str, character: str) -> None:
    fields = {"name": "Asha", "line1": "12 Prabhat Road", "line2": "Flat 3", "city": "Pune"}
    fields[field] += f"{character}x"
    with pytest.raises(InvalidArgumentError) as refused:
        Address(phone="+919876543210", state_code="MH", pin_code="411004", **fields)
    assert [violation.field for violation in refused.value.violations] == [f"address.{field}"]


def test_a_name_of_joiners_alone_is_blank() -> None:
    with pytest.raises(InvalidArgumentError):
        Address("\u200d\u200c", "+919876543210", "12", "", "Pune", "MH", "411004")
