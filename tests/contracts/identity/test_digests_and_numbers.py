"""Digests of identifiers, and what is known of telephone numbers, as their ports promise: fakes and the real ones."""

import pytest

from kapda.adapters.crypto.identifier_digests import HmacIdentifierDigests
from kapda.adapters.phones.numbering_plans import NumberingPlans
from kapda.domain.identity.phone import PhoneNumber
from kapda.domain.identity.profile_ports import PhoneNumbers
from kapda.domain.identity.throttle_ports import IdentifierDigests
from kapda.domain.identity.user import EmailAddress
from tests.fakes.log_ins import ReadableDigests
from tests.fakes.profiles import ListedPhoneNumbers

SPELLINGS = ["asha@example.in", "ASHA@EXAMPLE.IN", "Asha@Example.In"]
OTHERS = ["binod@example.in", "asha@example.in.example.com", "", "no address", "ash\u0430@example.in", "x" * 10_000]


@pytest.fixture(params=[ReadableDigests, lambda: HmacIdentifierDigests(b"k" * 32)], ids=["readable", "hmac"])
def digests(request: pytest.FixtureRequest) -> IdentifierDigests:
    made: IdentifierDigests = request.param()
    return made


@pytest.fixture(params=[ListedPhoneNumbers, NumberingPlans], ids=["listed", "plans"])
def numbers(request: pytest.FixtureRequest) -> PhoneNumbers:
    made: PhoneNumbers = request.param()
    return made


def test_all_spellings_of_one_address_have_one_digest_and_as_typed_too(digests: IdentifierDigests) -> None:
    assert len({EmailAddress(spelling).key for spelling in SPELLINGS}) == 1
    assert len({digests.of(typed) for spelling in SPELLINGS for typed in (spelling, f" {spelling}\n")}) == 1


def test_any_text_has_a_digest_and_no_other_text_has_the_same(digests: IdentifierDigests) -> None:
    texts = [*OTHERS, SPELLINGS[0]]
    assert len({digests.of(text) for text in texts}) == len(texts)
    assert [digests.of(text) for text in texts] == [digests.of(text) for text in texts]


def test_a_digest_under_a_key_tells_no_address_and_is_another_under_another() -> None:
    one, other = HmacIdentifierDigests(b"k" * 32).of(SPELLINGS[0]), HmacIdentifierDigests(b"j" * 32).of(SPELLINGS[0])
    assert one != other
    assert "asha" not in one
    assert len(one) == len(HmacIdentifierDigests(b"k" * 32).of("x" * 10_000))


@pytest.mark.parametrize("text", ["+919820012345", "+442071838750"])
def test_a_number_that_its_country_gives_out_is_known(numbers: PhoneNumbers, text: str) -> None:
    assert numbers.is_given_out(PhoneNumber(text))


def test_a_number_that_no_telephone_can_have_is_told(numbers: PhoneNumbers) -> None:
    assert not numbers.is_given_out(PhoneNumber("+910000000000"))
