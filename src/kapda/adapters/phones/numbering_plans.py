"""PhoneNumbers by Google's libphonenumber, whose tables its Python port carries along."""

import phonenumbers

from kapda.domain.identity.phone import PhoneNumber


class NumberingPlans:
    """Knows which numbers each country gives out; the tables are as new as the installed package."""

    def is_given_out(self, phone: PhoneNumber) -> bool:
        """Whether the number is in its country's numbering plan, written without anything left out."""
        try:
            parsed = phonenumbers.parse(phone.text)
        except phonenumbers.NumberParseException:
            return False
        # A number with a superfluous zero, such as +9109876543210, is understood and still not the E.164 form.
        e164 = phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)
        return e164 == phone.text and phonenumbers.is_valid_number(parsed)
