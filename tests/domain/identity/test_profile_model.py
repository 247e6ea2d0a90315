"""Profiles, address books and the end of an account: what each decides."""

from datetime import UTC, datetime
from uuid import UUID

import pytest

from kapda.domain.identity.address_book import Label
from kapda.domain.identity.erasure import OpenBusiness
from kapda.domain.identity.phone import PhoneNumber
from kapda.domain.identity.profile import Profile, ProfileChange
from kapda.domain.identity.user import DisplayName, EmailAddress
from kapda.domain.shared.errors import AbortedError, FailedPreconditionError, InvalidArgumentError, Reason
from kapda.domain.shared.etag import etag_of, version_of
from kapda.domain.shared.ids import UserId

ASHA = Profile(
    UserId(UUID(int=1)),
    EmailAddress("asha@example.in"),
    DisplayName("Asha"),
    PhoneNumber("+919820012345"),
    7,
    datetime(2026, 3, 1, tzinfo=UTC),
)


@pytest.mark.parametrize("text", ["+919820012345", "+14155550123", "+4930123456"])
def test_a_number_in_e164_form_is_taken(text: str) -> None:
    assert PhoneNumber(text).text == text


@pytest.mark.parametrize(
    "text", ["", "9820012345", "+0919820012345", "+91 98200 12345", "+91982001234५", "+91982001234567890", "+9198200\n"]
)
def test_anything_else_is_no_number(text: str) -> None:
    with pytest.raises(InvalidArgumentError) as refusal:
        PhoneNumber(text)
    assert [violation.field for violation in refusal.value.violations] == ["phone"]


def test_a_change_of_name_leaves_the_number_and_raises_the_version() -> None:
    changed = ASHA.changed(ProfileChange(display_name=DisplayName("Asha Rao")))
    assert (changed.display_name.text, changed.phone, changed.version) == ("Asha Rao", ASHA.phone, 8)


def test_a_number_is_taken_away_only_where_the_change_says_so() -> None:
    assert ASHA.changed(ProfileChange(phone=None, sets_phone=True)).phone is None
    assert ASHA.changed(ProfileChange(phone=None)) is ASHA


def test_a_change_to_what_is_there_already_is_none() -> None:
    same = ProfileChange(display_name=ASHA.display_name, phone=ASHA.phone, sets_phone=True)
    assert ASHA.changed(same) is ASHA


def test_who_saw_another_version_is_told_todays() -> None:
    ASHA.check_version(7)
    with pytest.raises(AbortedError) as refusal:
        ASHA.check_version(6)
    assert (refusal.value.reason, refusal.value.metadata) == (Reason.ETAG_MISMATCH, {"etag": "v7"})


@pytest.mark.parametrize("version", [0, 1, 10**17])
def test_an_etag_names_its_version(version: int) -> None:
    assert version_of(etag_of(version)) == version


@pytest.mark.parametrize("etag", ["", "v", "7", "v-1", "v1.0", "v٣", "v" + "9" * 19, "w7"])
def test_what_is_no_etag_is_told(etag: str) -> None:
    with pytest.raises(InvalidArgumentError) as refusal:
        version_of(etag)
    assert [violation.field for violation in refusal.value.violations] == ["etag"]


def test_a_label_is_kept_in_one_normal_form_without_space_around_it() -> None:
    assert Label("  Cafe\N{COMBINING ACUTE ACCENT} ").text == "Café"
    assert Label("").text == ""


@pytest.mark.parametrize("text", ["x" * 41, "a\nb", "a\0b"])
def test_a_label_that_is_long_or_cannot_be_printed_is_refused(text: str) -> None:
    with pytest.raises(InvalidArgumentError):
        Label(text)


def test_an_account_with_nothing_under_way_may_go() -> None:
    OpenBusiness(checkouts=0, refunds=0, cases=0).check_none()


@pytest.mark.parametrize(
    ("business", "named"),
    [
        (OpenBusiness(1, 0, 0), "checkout"),
        (OpenBusiness(0, 2, 0), "refund"),
        (OpenBusiness(0, 0, 3), "payment case"),
        (OpenBusiness(1, 1, 1), "checkout, refund, payment case"),
    ],
)
def test_what_is_under_way_keeps_the_account_and_is_named(business: OpenBusiness, named: str) -> None:
    with pytest.raises(FailedPreconditionError) as refusal:
        business.check_none()
    assert refusal.value.reason is Reason.ACCOUNT_IN_USE
    assert refusal.value.metadata == {"open": named}
    assert len(refusal.value.preconditions) == len(named.split(", "))
