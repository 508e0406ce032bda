"""Other models on the same test images: packaged ones, classical features, ten crops.

Each module of this folder names what it can evaluate in NAMES and has
`evaluate(name, parts, results_dir)`, which writes answers to the result store, and in NEEDS the
packages that this takes beside ferbook's own.
Imports everything but `paper` and `cli`.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

from ferbook.core.errors import FerbookError

if TYPE_CHECKING:
    from ferbook.data.splits import Split


class ComparisonError(FerbookError, ValueError):
    """There is nothing of that name to compare with."""


def chosen(only: str = "") -> list[str]:
    """All names that can be evaluated, or `only` that one. Raises ComparisonError for others."""
    names = list(_modules())
    if only and only not in names:
        raise ComparisonError(f"--only: no {only}. There are {', '.join(names)}.")
    return [only] if only else names


def look(names: Sequence[str], results_dir: str | Path = "results") -> None:
    """Before anything slow is begun: whether all that `names` take is there.

    Raises ModuleNotFoundError for a package, FileNotFoundError for the run that ten crops are of.
    """
    modules = _modules()
    for package in dict.fromkeys(package for name in names for package in modules[name].NEEDS):
        if importlib.util.find_spec(package) is None:
            raise ModuleNotFoundError(f"No module named {package!r}", name=package)
    if "ten_crops" in names:
        modules["ten_crops"].released_run(results_dir)


def evaluate(name: str, parts: Split, results_dir: str | Path = "results") -> Path:
    """Write the answers of `name` on the test images; returns the folder in the store."""
    return _modules()[name].evaluate(name, parts, results_dir)


def _modules() -> dict[str, ModuleType]:
    """Name -> the module of this folder that evaluates it."""
    from ferbook.comparison import baselines, peers, ten_crops  # late: they import much

    return {name: each for each in (baselines, peers, ten_crops) for name in each.NAMES}
