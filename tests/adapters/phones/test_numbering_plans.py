"""Which numbers countries give out."""

import pytest

from kapda.adapters.phones.numbering_plans import NumberingPlans
from kapda.domain.identity.phone import PhoneNumber


@pytest.mark.parametrize("text", ["+919820012345", "+912066012345", "+14155550123", "+971501234567"])
def test_a_number_of_a_numbering_plan_is_given_out(text: str) -> None:
    assert NumberingPlans().is_given_out(PhoneNumber(text))


@pytest.mark.parametrize(
    "text",
    [
        "+915000000000",  # no Indian number begins with 5
        "+9198200123",  # two digits short
        "+91982001234567",  # two digits long
        "+9109820012345",  # the trunk zero is no part of it
        "+99912345678",  # no such country
    ],
)
def test_a_number_that_no_telephone_has_is_not(text: str) -> None:
    assert not NumberingPlans().is_given_out(PhoneNumber(text))
