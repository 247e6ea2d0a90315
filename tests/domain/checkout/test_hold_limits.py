"""How much may be kept from others without paying, and what a door is."""

import itertools
import sys
import unicodedata
from dataclasses import replace
from datetime import timedelta

import pytest

from kapda.domain.checkout.hold_limits import (
    DAILY,
    DOOR_LIMIT,
    HOURLY,
    MOST_STARTS,
    HoldPressure,
    StartLimit,
    check_hold_limits,
    door_of,
)
from kapda.domain.checkout.policy import CAPTURE_WINDOW, HOLD_SLACK, PAY_WINDOW
from kapda.domain.shared.address import Address
from kapda.domain.shared.errors import Kind, Reason, ResourceExhaustedError
from tests.fakes.samples import HOME, NOON

MINUTE = timedelta(minutes=1)


def pressure(starts: int, apart: timedelta, others: int = 0) -> HoldPressure:
    """So many unpaid checkouts, the latest just now."""
    return HoldPressure([NOON - apart * number for number in range(starts)], others)


def refusal_of(found: HoldPressure) -> ResourceExhaustedError:
    with pytest.raises(ResourceExhaustedError) as raised:
        check_hold_limits(found, NOON)
    return raised.value


@pytest.mark.parametrize(("limit", "apart"), [(HOURLY, MINUTE), (DAILY, timedelta(minutes=30))])
def test_one_unpaid_checkout_too_many_is_refused_until_the_first_of_them_is_old(
    limit: StartLimit, apart: timedelta
) -> None:
    check_hold_limits(pressure(limit.allowed - 1, apart), NOON)
    refusal = refusal_of(pressure(limit.allowed, apart))
    assert (refusal.kind, refusal.reason) == (Kind.RESOURCE_EXHAUSTED, Reason.RATE_LIMITED)
    assert refusal.metadata == {"limit": limit.name, "allowed": str(limit.allowed)}
    first = NOON - apart * (limit.allowed - 1)
    assert refusal.retry_after == (first + limit.within - NOON).total_seconds()


@pytest.mark.parametrize("limit", [HOURLY, DAILY])
def test_a_limit_is_open_again_when_its_window_has_passed(limit: StartLimit) -> None:
    starts = [NOON - limit.within] * limit.allowed
    check_hold_limits(HoldPressure(starts, 0), NOON)


def test_a_checkout_that_is_superseded_counts_with_those_that_ended_whenever_it_started() -> None:
    found = HoldPressure((NOON, NOON - HOURLY.within), 3).with_unpaid(NOON - HOURLY.within / 2)
    assert found == HoldPressure((NOON, NOON - HOURLY.within / 2, NOON - HOURLY.within), 3)


def test_no_more_starts_are_kept_than_the_limits_look_at() -> None:
    starts = tuple(NOON - number * MINUTE for number in range(1, MOST_STARTS + 1))
    assert HoldPressure(starts, 0).with_unpaid(NOON).unpaid_starts == (NOON, *starts[:-1])


def test_ten_customers_at_one_door_are_enough() -> None:
    check_hold_limits(HoldPressure((), DOOR_LIMIT - 1), NOON)
    refusal = refusal_of(HoldPressure((), DOOR_LIMIT))
    assert refusal.metadata["limit"] == "live_checkouts_for_one_door"
    assert refusal.retry_after == (PAY_WINDOW + CAPTURE_WINDOW + HOLD_SLACK).total_seconds()


def test_starting_again_all_day_keeps_a_piece_for_ten_hours_at_most() -> None:
    hold = PAY_WINDOW + CAPTURE_WINDOW + HOLD_SLACK
    assert hold * DAILY.allowed <= timedelta(hours=10)
    assert DAILY.within == timedelta(days=1)


@pytest.mark.parametrize(
    "change",
    [
        {"line1": "14, PRABHAT road"},
        {"line1": "14 Prabhat", "line2": "Road, Deccan-Gymkhana"},
        {"line1": "１４ Prabhat Road"},
        {"name": "Somebody Else", "phone": "+919999999999"},
        {"city": "Poona"},
    ],
)
def test_one_door_written_otherwise_is_the_same_door(change: dict[str, str]) -> None:
    assert door_of(replace(HOME, **change)) == door_of(HOME)


@pytest.mark.parametrize(
    "change", [{"line1": "15 Prabhat Road"}, {"line2": "Flat 2, Deccan Gymkhana"}, {"pin_code": "411005"}]
)
def test_another_flat_house_or_pin_code_is_another_door(change: dict[str, str]) -> None:
    assert door_of(replace(HOME, **change)) != door_of(HOME)


def test_letters_marks_and_numbers_of_all_scripts_tell_doors_apart_and_nothing_else() -> None:
    everything = (chr(code) for code in range(sys.maxunicode + 1) if not 0xD800 <= code <= 0xDFFF)
    same_spelt = (char for char in everything if unicodedata.normalize("NFKC", char).casefold() == char)
    for char in itertools.islice(same_spelt, 0, None, 97):
        says = unicodedata.category(char)[0] in "LMN"
        assert (door_of(_written(f"14{char}")) != door_of(_written("14"))) is says, hex(ord(char))


def _written(line1: str) -> Address:
    """An address as nobody could send it: any character in it."""
    address = replace(HOME)
    object.__setattr__(address, "line1", line1)
    object.__setattr__(address, "line2", "")
    return address


def test_vowel_signs_of_indic_scripts_tell_doors_apart() -> None:
    assert door_of(replace(HOME, line1="किरण")) != door_of(replace(HOME, line1="करण"))
