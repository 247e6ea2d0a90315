"""What the customers and the admin were told: the answers that have to be true in the end."""

from collections import Counter
from dataclasses import dataclass, field

Line = tuple[str, str]
"""A customer's id and a variant's."""


@dataclass
class Diary:
    """Everything here was answered; a call without an answer is repeated until it has one."""

    added: Counter[Line] = field(default_factory=Counter)
    """Pieces put into carts."""
    received: Counter[str] = field(default_factory=Counter)
    """Pieces that arrived on the shelves, by variant."""
    started: dict[str, str] = field(default_factory=dict)
    """Checkouts by the request that started them."""
    placed: dict[str, tuple[str, str]] = field(default_factory=dict)
    """Checkouts and their orders by the request that placed them."""
    cancelled: dict[str, str] = field(default_factory=dict)
    """Orders by the request that called them off."""
    refunded: dict[str, tuple[str, str]] = field(default_factory=dict)
    """Orders and refunds by the admin's request."""
    restocked: Counter[str] = field(default_factory=Counter)
    """Pieces of refunds put back on the shelf, by variant."""
    paid: set[str] = field(default_factory=set)
    """Payments that the gateway called successful to the customer's face."""
    refusals: Counter[str] = field(default_factory=Counter)
    """What customers were refused for, and how often."""
    strikes: Counter[str] = field(default_factory=Counter)
    """What went wrong, and how often."""
    retries: int = 0
    """Calls that were not answered and sent again."""
    repeats: int = 0
    """Answered calls that were sent again, to hear the same."""

    def figures(self) -> str:
        """The campaign in some lines."""
        did = {
            "checkouts started": len(self.started),
            "payments": len(self.paid),
            "orders told": len(self.placed),
            "cancelled": len(self.cancelled),
            "refunds by the desk": len(self.refunded),
            "calls sent again unanswered": self.retries,
            "answers asked for again": self.repeats,
        }
        return "\n".join(
            f"{title}: {', '.join(f'{name} {count}' for name, count in counts)}"
            for title, counts in (
                ("strikes", sorted(self.strikes.items())),
                ("done", did.items()),
                ("refused", sorted(self.refusals.items())),
            )
        )
