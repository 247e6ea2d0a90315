"""docs/access.md as it is read: every method with whom it lets in."""

from collections.abc import Mapping

from tools.access_table import COLUMNS, DOCUMENT, YES

Line = Mapping[str, str]


def read_table() -> dict[str, Line]:
    """The lines by the methods' names."""
    found: dict[str, Line] = {}
    for line in DOCUMENT.read_text(encoding="utf-8").splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if line.startswith("|") and len(cells) == len(COLUMNS) and cells[0] not in ("method", "---"):
            assert cells[0] not in found, cells[0]
            found[cells[0]] = dict(zip(COLUMNS, cells, strict=True))
    return found


def must_sign(line: Line, column: str) -> bool:
    """Whether those of the column sign their requests."""
    return line["signed"] == YES or column in line["signed"].split(", ")


def says_yes(line: Line, column: str) -> bool:
    """Whether the line's cell lets in."""
    assert line[column] in ("", YES), line
    return line[column] == YES
