"""No room of the package gets too full: short modules, short functions."""

from __future__ import annotations

import ast

from conftest import ROOT

MODULES = {str(path.relative_to(ROOT)): path.read_text() for path in (ROOT / "src").rglob("*.py")}


def test_modules_have_at_most_250_lines():
    lengths = {name: len(text.splitlines()) for name, text in MODULES.items()}
    assert {name: length for name, length in lengths.items() if length > 250} == {}


def test_functions_have_at_most_40_lines():
    lengths = {
        f"{name}: {node.name}": lines(node)
        for name, text in MODULES.items()
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.FunctionDef)
    }
    assert {name: length for name, length in lengths.items() if length > 40} == {}


def lines(function: ast.FunctionDef) -> int:
    """Of the body, without its docstring."""
    body = function.body[1:] if ast.get_docstring(function) else function.body
    return function.end_lineno - body[0].lineno + 1 if body else 0
