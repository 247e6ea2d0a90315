"""Teaches detect-secrets what a live key of Razorpay looks like."""

import re
from typing import ClassVar

from detect_secrets.plugins.base import RegexBasedDetector


class RazorpayKeyDetector(RegexBasedDetector):
    """Finds ids of live keys; the secret that belongs to one usually stands beside it."""

    secret_type = "Razorpay live key"  # noqa: S105  # the name of the kind
    denylist: ClassVar[list[re.Pattern[str]]] = [re.compile(r"rzp_live_[A-Za-z0-9]{14}")]
