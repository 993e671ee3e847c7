"""The limits on shape that no linter here knows: how long a file and a function of the product may be."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.shared import ROOT

MIGRATIONS = ROOT / "bridge" / "store" / "migrations" / "versions"  # one long list each, by their nature
FILES = sorted(path for path in (ROOT / "bridge").rglob("*.py") if MIGRATIONS not in path.parents)
LONGEST_FILE = 400
LONGEST_FUNCTION = 60


def functions(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_files_and_functions_stay_short(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= LONGEST_FILE
    for function in functions(path):
        lines = (function.end_lineno or 0) - function.lineno + 1
        assert lines <= LONGEST_FUNCTION, f"{function.name} (line {function.lineno}) has {lines} lines"
