"""The domain knows the standard library and itself."""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import kapda.domain

DOMAIN = Path(kapda.domain.__path__[0])


def imported(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield "." * node.level + (node.module or "")


def test_the_domain_imports_the_standard_library_and_itself() -> None:
    files = sorted(DOMAIN.rglob("*.py"))
    assert files
    foreign = [
        f"{file.relative_to(DOMAIN)}: {name}"
        for file in files
        for name in imported(ast.parse(file.read_text(encoding="utf-8")))
        if name.partition(".")[0] not in sys.stdlib_module_names and not f"{name}.".startswith("kapda.domain.")
    ]
    assert foreign == []
