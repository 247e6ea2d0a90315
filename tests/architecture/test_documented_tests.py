"""Each row of what is promised about attacks and failures names a test, and the test is there."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[1]
DOCS = TESTS.parent / "docs"
# A file or a folder below tests/, or a test by its name.
_NAMED = re.compile(r"`([^`]+)`")
_DEFINED = re.compile(r"^ *(?:async )?def (test_\w+)\(", re.MULTILINE)


@dataclass(frozen=True)
class Row:
    """A row of a table whose last column is headed `test`."""

    document: str
    line: int
    what: str
    tests: str

    def __str__(self) -> str:
        return f"{self.document}:{self.line}"


def rows_of(document: str) -> Iterator[Row]:
    """The rows that have to name a test."""
    inside = False
    for number, line in enumerate((DOCS / document).read_text(encoding="utf-8").splitlines(), start=1):
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")] if line.lstrip().startswith("|") else []
        if not cells or set(line) <= set("|- "):
            inside = inside and bool(cells)
        elif cells[-1] == "test":
            inside = True
        elif inside:
            yield Row(document, number, cells[0], cells[-1])


@cache
def defined() -> frozenset[str]:
    """The names of all tests."""
    files = TESTS.rglob("test_*.py")
    return frozenset(name for file in files for name in _DEFINED.findall(file.read_text(encoding="utf-8")))


def is_there(named: str) -> bool:
    """Whether a document's name for a test leads to one."""
    if named.endswith(".py"):
        return (TESTS / named).is_file() and _DEFINED.search((TESTS / named).read_text(encoding="utf-8")) is not None
    return named in defined()


ROWS = [*rows_of("security.md"), *rows_of("failures.md")]


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_a_row_names_tests_that_are_there(row: Row) -> None:
    named = _NAMED.findall(row.tests)
    assert named, row.what
    assert [name for name in named if not is_there(name)] == []


@pytest.mark.parametrize("document", ["security.md", "failures.md", "signed-requests.md", "mail.md"])
def test_a_test_that_is_named_anywhere_else_is_there_too(document: str) -> None:
    text = (DOCS / document).read_text(encoding="utf-8")
    named = [name.removeprefix("tests/") for name in _NAMED.findall(text) if "test_" in name]
    assert [name for name in named if not is_there(name)] == []


def test_the_tables_were_found() -> None:
    assert len([row for row in ROWS if row.document == "security.md"]) > 40
    assert len([row for row in ROWS if row.document == "failures.md"]) > 40


def test_a_name_of_no_test_is_noticed() -> None:
    assert not is_there("races/test_that_nobody_wrote.py")
    assert not is_there("test_that_nobody_wrote")
    assert is_there("test_a_name_of_no_test_is_noticed")
    assert is_there("architecture/test_documented_tests.py")
