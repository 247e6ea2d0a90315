"""Money: an integer number of minor units and a currency, and nothing in between.

No operation here can produce a fraction of a minor unit. Rounding happens in one place, `share_of`, and splitting keeps
every unit (`allocate`).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache

INR = "INR"
BASIS_POINTS = 10_000
# What fits PostgreSQL's bigint and JSON's safe integers alike; about ninety thousand crore rupees.
MAX_AMOUNT_MINOR = 2**53 - 1


@dataclass(frozen=True, slots=True, order=False)
class Money:
    """`amount_minor` minor units (paise for INR) of `currency` (ISO 4217). May be negative: a posting or a difference."""

    amount_minor: int
    currency: str

    def __post_init__(self) -> None:
        if type(self.amount_minor) is not int:
            raise TypeError(f"an amount of money is an int of minor units, not {type(self.amount_minor).__name__}")
        if abs(self.amount_minor) > MAX_AMOUNT_MINOR:
            raise ValueError("the amount of money is out of range")
        _check_currency(self.currency)

    @classmethod
    def zero(cls, currency: str = INR) -> "Money":
        """No money of that currency."""
        return cls(0, currency)

    @property
    def is_positive(self) -> bool:
        """Whether there is any money, and it is not owed."""
        return self.amount_minor > 0

    def __add__(self, other: "Money") -> "Money":
        _check_same(self.currency, other.currency)
        return Money(self.amount_minor + other.amount_minor, self.currency)

    def __sub__(self, other: "Money") -> "Money":
        _check_same(self.currency, other.currency)
        return Money(self.amount_minor - other.amount_minor, self.currency)

    def __neg__(self) -> "Money":
        return Money(-self.amount_minor, self.currency)

    def __mul__(self, quantity: int) -> "Money":
        if type(quantity) is not int:
            raise TypeError("money is multiplied by a whole quantity only; use share_of for a rate")
        return Money(self.amount_minor * quantity, self.currency)

    def __lt__(self, other: "Money") -> bool:
        _check_same(self.currency, other.currency)
        return self.amount_minor < other.amount_minor

    def __le__(self, other: "Money") -> bool:
        _check_same(self.currency, other.currency)
        return self.amount_minor <= other.amount_minor

    def share_of(self, basis_points: int, *, of: int = BASIS_POINTS) -> "Money":
        """`basis_points / of` of this, rounded half away from zero to the minor unit."""
        scaled = abs(self.amount_minor) * basis_points
        rounded = (2 * scaled + of) // (2 * of)
        return Money(rounded if self.amount_minor >= 0 else -rounded, self.currency)

    def allocate(self, weights: Sequence[int]) -> tuple["Money", ...]:
        """Split in proportion to `weights` so that the parts sum to the whole.

        Largest remainder method; the earlier part wins a tie. Weights are not negative and not all zero.
        """
        total = sum(weights)
        if total <= 0 or any(weight < 0 for weight in weights):
            raise ValueError("weights must not be negative and must not all be zero")
        sign = -1 if self.amount_minor < 0 else 1
        whole = abs(self.amount_minor)
        parts = [whole * weight // total for weight in weights]
        remainders = [whole * weight % total for weight in weights]
        by_remainder = sorted(range(len(weights)), key=lambda index: (-remainders[index], index))
        for index in by_remainder[: whole - sum(parts)]:
            parts[index] += 1
        return tuple(Money(sign * part, self.currency) for part in parts)

    def __str__(self) -> str:
        sign = "-" if self.amount_minor < 0 else ""
        major, minor = divmod(abs(self.amount_minor), 100)
        return f"{sign}{self.currency} {major:,}.{minor:02d}"


def total(amounts: Iterable[Money], currency: str = INR) -> Money:
    """The sum, which is zero of `currency` for no amounts."""
    sum_minor = 0
    for amount in amounts:
        _check_same(currency, amount.currency)
        sum_minor += amount.amount_minor
    return Money(sum_minor, currency)


# An order makes a hundred and fifty amounts of one currency; there are fewer codes than would fill a cache.
@cache
def _check_currency(code: str) -> None:
    if len(code) != 3 or not (code.isascii() and code.isalpha() and code.isupper()):
        raise ValueError(f"{code!r} is not an ISO 4217 currency code")


def _check_same(currency: str, other: str) -> None:
    if currency != other:
        raise ValueError(f"{currency} and {other} do not mix")
