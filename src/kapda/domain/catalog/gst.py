"""The goods and services tax inside a retail price, by HSN code, price and day.

Prices of the shop include tax, while the law sets the rate of clothes and shoes by the price of the piece *without* it:
up to a threshold one rate, above it another. The rate is therefore worked out backwards, and a band of inclusive prices
has none: too dear for the low rate (without 5 % still above ₹2,500), too cheap for the high one (without 18 % not above
it). Such a price is refused, rather than billed at a rate that contradicts itself.

Rates are data with the day they begin, never constants of the code: a bill takes the rate of its own day, a credit note
the rate of the bill it answers. This is an engineer's reading of the notifications, by whole chapters; an accountant
signs the table off before it bills anybody.
"""

from dataclasses import dataclass
from datetime import date
from itertools import chain

from kapda.domain.shared.errors import FailedPreconditionError, InvalidArgumentError, Reason
from kapda.domain.shared.money import BASIS_POINTS, INR, Money


@dataclass(frozen=True, slots=True)
class GstRule:
    """From `effective_from` (a day in India), goods of these HSN chapters bear `low_rate` up to and at `threshold`, and
    `high_rate` above it. The threshold is a price of one piece without tax; rates are basis points. Where the price
    does not matter, threshold and high rate are None."""

    effective_from: date
    chapters: frozenset[str]
    low_rate: int
    threshold: Money | None
    high_rate: int | None
    source: str


@dataclass(frozen=True, slots=True)
class TaxSplit:
    """A tax-inclusive amount taken apart: `taxable` + `gst` is the amount, to the paisa."""

    taxable: Money
    gst: Money


_GST_BEGINS = date(2017, 7, 1)
_REFORM = date(2025, 9, 22)
_CLOTHES = frozenset({"61", "62", "63"})  # shawls, scarves and stoles (6214) are in chapter 62
_SHOES = frozenset({"64"})
_FABRICS = frozenset({"50", "51", "52", "53", "54", "55"})  # an unstitched saree is taxed as its fabric
_JEWELLERY = frozenset({"71"})
_BAGS = frozenset({"42"})

RULES: tuple[GstRule, ...] = (
    GstRule(_GST_BEGINS, _CLOTHES, 500, Money(1_000_00, INR), 1200, "Notification 1/2017-CT(Rate), schedules I and II"),
    GstRule(_GST_BEGINS, _FABRICS, 500, None, None, "Notification 1/2017-CT(Rate), schedule I"),
    GstRule(_GST_BEGINS, _JEWELLERY, 300, None, None, "Notification 1/2017-CT(Rate), schedule V"),
    GstRule(date(2017, 11, 15), _BAGS, 1800, None, None, "Notification 41/2017-CT(Rate)"),
    GstRule(_REFORM, _CLOTHES | _SHOES, 500, Money(2_500_00, INR), 1800, "Notification 9/2025-CT(Rate)"),
)


def gst_rate_for(hsn_code: str, unit_price: Money, on: date) -> int:
    """The rate, in basis points, that a piece sold at the tax-inclusive `unit_price` bears `on` a day in India.

    Raises InvalidArgumentError for goods or days the table does not know, FailedPreconditionError
    (PRICE_WITHOUT_GST_RATE) for a price between the two rates, with the ends of the refused band as metadata.
    """
    rule = _rule_for(hsn_code, on)
    if rule.threshold is None or rule.high_rate is None:
        return rule.low_rate
    dearest_low = _with_tax(rule.threshold, rule.low_rate)
    if unit_price <= dearest_low:
        return rule.low_rate
    dearest_refused = _with_tax(rule.threshold, rule.high_rate)
    if dearest_refused < unit_price:
        return rule.high_rate
    raise FailedPreconditionError(
        Reason.PRICE_WITHOUT_GST_RATE,
        f"no GST rate is consistent with a tax-inclusive price of {unit_price}: "
        f"set {dearest_low} or less, or more than {dearest_refused}",
        metadata={
            "hsn_code": hsn_code,
            "price_minor": str(unit_price.amount_minor),
            "highest_low_rate_price_minor": str(dearest_low.amount_minor),
            "highest_refused_price_minor": str(dearest_refused.amount_minor),
        },
    )


def split_inclusive(amount: Money, basis_points: int) -> TaxSplit:
    """Take the tax of a rate out of an inclusive amount; the tax is rounded half away from zero to the paisa."""
    gst = amount.share_of(basis_points, of=BASIS_POINTS + basis_points)
    return TaxSplit(amount - gst, gst)


def _rule_for(hsn_code: str, on: date) -> GstRule:
    chapter = hsn_code[:2]
    in_force = [rule for rule in RULES if chapter in rule.chapters and rule.effective_from <= on]
    if not in_force:
        known = sorted(set(chain.from_iterable(rule.chapters for rule in RULES)))
        raise InvalidArgumentError.for_field(
            "hsn_code", f"no GST rate is known for {hsn_code} on {on}; known chapters are {', '.join(known)}"
        )
    return max(in_force, key=lambda rule: rule.effective_from)


def _with_tax(price: Money, basis_points: int) -> Money:
    """The highest whole inclusive amount whose price without tax is at most `price`."""
    return Money(price.amount_minor * (BASIS_POINTS + basis_points) // BASIS_POINTS, price.currency)
