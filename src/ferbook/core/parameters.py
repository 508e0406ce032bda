"""The parameters that papermill gives a notebook: known, of the right type, before anything runs.

papermill itself only warns about a name that the notebook does not know, and goes on.
"""

from __future__ import annotations

import ast
import contextlib
import difflib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ferbook.core.errors import FerbookError
from ferbook.core.files import quoted, read_text
from ferbook.core.structured import read_yaml
from ferbook.core.typed import unlike

_TAGGED = '# %% tags=["parameters"'
_OF_GRIDS = ("changes", "seeds", "steps")


class ParameterError(FerbookError, ValueError):
    """A notebook was given a parameter that it does not have, or a value of another type."""


def settle(space: dict[str, Any], name: str, *, project: Path = Path(".")) -> None:
    """Check what papermill gave to the notebook `name`, whose variables are `space`.

    If the parameter `config` names a file of `configs/`, its values are put into `space`; what
    papermill was given beside it wins. Without papermill, `config` replaces what the cell says.
    Raises ParameterError for an unknown name, with the nearest known one, and for a wrong type.

    In an interactive session, modules that are edited from now on are read anew by the next cell.
    """
    _read_edits(space)
    known = defaults(project / "notebooks" / f"{name}.py")
    given = _injected(space.get("In", ()))
    _check(given, known, "papermill")
    if config := space.get("config"):
        values = read_yaml(config)
        _check(values, known, config)
        space.update(values | given)


def _read_edits(space: Mapping[str, Any]) -> None:
    if shell := space.get("get_ipython"):
        # That of IPython 7, as on Colab, takes an older Python.
        with contextlib.suppress(ImportError):
            shell().run_line_magic("load_ext", "autoreload")
            shell().run_line_magic("autoreload", "2")


def defaults(notebook: Path) -> dict[str, Any]:
    """Name -> default of the cell tagged "parameters" in the text half of a notebook."""
    cell = read_text(notebook).partition(_TAGGED)[2].partition("\n")[2].partition("\n# %%")[0]
    return _assigned(cell)


def _injected(cells: Sequence[str]) -> dict[str, Any]:
    """What the cell of papermill among the `cells` that IPython has carried out assigns."""
    return _assigned(next((cell for cell in cells if cell.startswith("# Parameters\n")), ""))


def _assigned(cell: str) -> dict[str, Any]:
    found = {}
    try:
        statements = ast.parse(cell).body
    except SyntaxError as error:
        raise ParameterError(f"parameters: {error.msg} in {quoted(error.text)}.") from None
    for statement in statements:
        if not (isinstance(statement, ast.Assign) and isinstance(statement.targets[0], ast.Name)):
            raise ParameterError(
                f"parameters: expected lines like image_size = 96. "
                f"Received: {quoted(ast.unparse(statement))}."
            )
        name = statement.targets[0].id
        try:
            found[name] = ast.literal_eval(statement.value)
        except ValueError:  # papermill writes float('nan')
            raise ParameterError(f"{name}: expected a number, a text, True or False.") from None
    return found


def _check(given: Mapping[str, Any], known: Mapping[str, Any], source: str) -> None:
    for name, value in given.items():
        if name not in known:
            near = difflib.get_close_matches(str(name), known, 1, cutoff=0)
            more = f" The nearest: {near[0]}." if near else " It has none."
            if name in _OF_GRIDS:
                more = " It belongs to a grid of runs: ferbook train."
            raise ParameterError(f"{source}: no parameter is called {name}.{more}")
        kind = type(known[name])
        if trouble := unlike(kind, value):
            raise ParameterError(
                f"{source}: {name}: expected {kind.__name__}, like {known[name]!r}. {trouble}"
            )
