"""The cells of a chapter made anew: what each of them ought to show.

Only cells of the source notebook are carried out, and only those of the checkout that this
package belongs to. What needs the images or TensorFlow is left out: a statement that uses it
gives `Missing`, and so does what follows from it, unless the store holds the value.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from ferbook.paper.executed import statements
from ferbook.results import store


class Missing(SimpleNamespace):
    """Stands for what is not there; it has the attributes that are known all the same."""


@dataclass
class Made:
    """What a cell shows: numbers under their keys in the order of `glue`, then its value."""

    glued: list[tuple[str, Any]] = field(default_factory=list)
    value: Any = None


# What the store knows of a variable whose making needs the images or TensorFlow.
_STORED: dict[str, Callable[[Mapping[str, Any]], Any]] = {
    "dataset": lambda space: store.load_dataset(space["results_dir"]),
    "faces": lambda space: Missing(name=store.load_dataset(space["results_dir"])["name"]),
    "folder": lambda space: Path(
        space["results_dir"], space["study"], space["recipe"].run_name
    ),
    "parameters": lambda space: store.load_parameters(space["results_dir"]),
}  # fmt: skip


def cells(source: dict, values: Mapping[str, Any], data: str = "") -> Iterator[Made]:
    """What each code cell of `source` shows, told the parameters `values`.

    `data` is a source of FER-2013; without it, what needs images is Missing.
    """
    space: dict[str, Any] = {}
    for cell in source["cells"]:
        if cell["cell_type"] != "code":
            continue
        made = Made()
        space["glue"] = lambda key, value, made=made, **_: made.glued.append((key, value))
        for statement in statements(cell):
            made.value = _carry_out(statement, space, bool(data))
        if "parameters" in cell["metadata"].get("tags", []):
            space |= values
            if data and "data" in space:
                space["data"] = data
        yield made


def _carry_out(statement: ast.stmt, space: dict[str, Any], has_data: bool) -> Any:
    """Run one statement; the value of an expression, None of anything else."""
    if isinstance(statement, (ast.Import, ast.ImportFrom)):
        return _import(statement, space, has_data)
    if _writes(statement):
        return None
    if _needs_missing(statement, space):
        return _leave_out(statement, space)
    if isinstance(statement, ast.Expr):
        return eval(compile(ast.Expression(statement.value), "<cell>", "eval"), space)
    exec(compile(ast.Module([statement], []), "<cell>", "exec"), space)
    return None


def _import(statement: ast.Import | ast.ImportFrom, space: dict, has_data: bool) -> None:
    module = getattr(statement, "module", None) or ""
    if module == "myst_nb":
        return
    needs_images = module == "ferbook.data.sources" and not has_data
    if module.startswith("ferbook.training") or needs_images:
        space |= {alias.asname or alias.name: Missing() for alias in statement.names}
    else:
        exec(compile(ast.Module([statement], []), "<cell>", "exec"), space)


def _writes(statement: ast.stmt) -> bool:
    """Whether a statement would write into the store."""
    call = getattr(statement, "value", None)
    function = getattr(call, "func", None)
    return isinstance(function, ast.Attribute) and function.attr.startswith("write_")


def _needs_missing(statement: ast.stmt, space: Mapping[str, Any]) -> bool:
    """Whether a statement uses something missing, other than an attribute that is known."""
    nodes = list(ast.walk(statement))
    known = {id(node.value) for node in nodes if isinstance(node, ast.Attribute)
             and isinstance(node.value, ast.Name)
             and hasattr(space.get(node.value.id), node.attr)}  # fmt: skip
    names = [n for n in nodes if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load)]
    return any(isinstance(space.get(n.id), Missing) and id(n) not in known for n in names)


def _leave_out(statement: ast.stmt, space: dict[str, Any]) -> Any:
    targets = [node.id for node in ast.walk(statement)
               if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)]  # fmt: skip
    for name in targets:
        space[name] = _STORED[name](space) if name in _STORED else Missing()
    return Missing() if isinstance(statement, ast.Expr) else None
