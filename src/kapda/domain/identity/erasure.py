"""When an account may be deleted.

What is left afterwards is what tax law wants kept: orders, payments, refunds and the books, with the name and the address
that stand on the orders. Everything else that names the customer goes (see the port PersonalData).
"""

from dataclasses import dataclass

from kapda.domain.shared.errors import FailedPreconditionError, Precondition, Reason


@dataclass(frozen=True, slots=True)
class OpenBusiness:
    """How many of a customer's things are under way, for which we still need to reach the customer."""

    checkouts: int
    refunds: int
    cases: int

    def check_none(self) -> None:
        """Raises FailedPreconditionError (ACCOUNT_IN_USE) that names each kind there is some of."""
        open_ones = {"checkout": self.checkouts, "refund": self.refunds, "payment case": self.cases}
        facts = tuple(
            Precondition(Reason.ACCOUNT_IN_USE.value, kind, f"{count} under way")
            for kind, count in open_ones.items()
            if count
        )
        if facts:
            named = ", ".join(fact.subject for fact in facts)
            raise FailedPreconditionError(
                Reason.ACCOUNT_IN_USE, f"still under way: {named}", metadata={"open": named}, preconditions=facts
            )
