"""What the marketplace keeps of a line, worked out once, when the line is sold.

The commission is a share of the line as the customer paid it, tax included; GST is due on the commission on top, and
both come out of the designer's part. What rounding leaves over stays with the designer, so that the three parts are the
line to the paisa.
"""

from dataclasses import dataclass

from kapda.domain.shared.money import Money

# GST on the marketplace's own service to the designer (SAC 9962), 18 %.
COMMISSION_GST_BASIS_POINTS = 1_800


@dataclass(frozen=True, slots=True)
class Earnings:
    """`commission` + `commission_gst` + `designer_net` is the line's total."""

    commission: Money
    commission_gst: Money
    designer_net: Money


def earnings(line_total: Money, commission_basis_points: int) -> Earnings:
    """Split a line. At rates whose commission and GST would exceed the line, the commission is cut to what is there."""
    commission = line_total.share_of(commission_basis_points)
    gst = commission.share_of(COMMISSION_GST_BASIS_POINTS)
    if line_total < commission + gst:
        gst = line_total.share_of(COMMISSION_GST_BASIS_POINTS, of=10_000 + COMMISSION_GST_BASIS_POINTS)
        commission = line_total - gst
    return Earnings(commission, gst, line_total - commission - gst)
