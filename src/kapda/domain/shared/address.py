"""An Indian delivery address: the fields a courier and a tax invoice need, checked as far as a form can be."""

import re
from dataclasses import dataclass

from kapda.domain.shared.errors import FieldViolation, InvalidArgumentError, Reason
from kapda.domain.shared.one_line import is_blank, is_printable, one_line

# State or union territory by its ISO 3166-2:IN letters: the code GST knows it by, and the first digits of its PIN codes
# (India Post's zones; a few border offices are served from the next zone, so a state may have several).
_STATES: dict[str, tuple[str, str]] = {
    "AN": ("35", "7"),
    "AP": ("37", "5"),
    "AR": ("12", "7"),
    "AS": ("18", "7"),
    "BR": ("10", "8"),
    "CG": ("22", "4"),
    "CH": ("04", "1"),
    "DH": ("26", "3"),
    "DL": ("07", "1"),
    "GA": ("30", "4"),
    "GJ": ("24", "3"),
    "HP": ("02", "1"),
    "HR": ("06", "1"),
    "JH": ("20", "8"),
    "JK": ("01", "1"),
    "KA": ("29", "5"),
    "KL": ("32", "6"),
    "LA": ("38", "1"),
    "LD": ("31", "6"),
    "MH": ("27", "4"),
    "ML": ("17", "7"),
    "MN": ("14", "7"),
    "MP": ("23", "4"),
    "MZ": ("15", "7"),
    "NL": ("13", "7"),
    "OD": ("21", "7"),
    "PB": ("03", "1"),
    "PY": ("34", "56"),
    "RJ": ("08", "3"),
    "SK": ("11", "7"),
    "TN": ("33", "6"),
    "TR": ("16", "7"),
    "TS": ("36", "5"),
    "UK": ("05", "2"),
    "UP": ("09", "2"),
    "WB": ("19", "7"),
}
_PIN_CODE = re.compile(r"[1-9][0-9]{5}")
_PHONE = re.compile(r"\+[1-9][0-9]{7,14}")
_LIMITS = {"name": 100, "line1": 120, "line2": 120, "city": 60}


def _violations(address: "Address") -> list[FieldViolation]:
    found = []
    for field, limit in _LIMITS.items():
        text: str = getattr(address, field)
        optional = field == "line2"
        if len(text) > limit or not is_printable(text) or (is_blank(text) and not optional):
            found.append(FieldViolation(field, f"must be {0 if optional else 1} to {limit} printable characters"))
    if not _PHONE.fullmatch(address.phone):
        found.append(FieldViolation("phone", "must be an E.164 number such as +919876543210"))
    if address.state_code not in _STATES:
        found.append(FieldViolation("state_code", "must be the two letters of an Indian state or union territory"))
    if not _PIN_CODE.fullmatch(address.pin_code):
        found.append(FieldViolation("pin_code", "must be six digits, the first not zero"))
    elif address.state_code in _STATES and address.pin_code[0] not in _STATES[address.state_code][1]:
        found.append(FieldViolation("pin_code", f"is not in {address.state_code}"))
    return found


@dataclass(frozen=True, slots=True)
class Address:
    """Where and to whom. `phone` is E.164; `state_code` the two letters of ISO 3166-2:IN; `pin_code` six digits.

    Texts are kept as `one_line` says.

    Raises InvalidArgumentError (VALIDATION_FAILED) with every violation at once.
    """

    name: str
    phone: str
    line1: str
    line2: str
    city: str
    state_code: str
    pin_code: str

    def __post_init__(self) -> None:
        for field in _LIMITS:
            object.__setattr__(self, field, one_line(getattr(self, field)))
        found = _violations(self)
        if found:
            raise InvalidArgumentError(
                Reason.VALIDATION_FAILED,
                "the address is not valid",
                violations=tuple(FieldViolation(f"address.{v.field}", v.description) for v in found),
            )

    @property
    def gst_state_code(self) -> str:
        """The two digits GST knows the state by: the place of supply."""
        return _STATES[self.state_code][0]
