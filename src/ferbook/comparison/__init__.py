"""Other models on the same test images: packaged ones, classical features, ten crops.

Each module of this folder names what it can evaluate in NAMES and has
`evaluate(name, parts, results_dir)`, which writes answers to the result store.
Imports everything but `paper` and `cli`.
"""

from __future__ import annotations

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


def evaluate(name: str, parts: Split, results_dir: str | Path = "results") -> Path:
    """Write the answers of `name` on the test images; returns the folder in the store."""
    return _modules()[name].evaluate(name, parts, results_dir)


def _modules() -> dict[str, ModuleType]:
    """Name -> the module of this folder that evaluates it."""
    from ferbook.comparison import baselines, peers, ten_crops  # late: they import much

    return {name: each for each in (baselines, peers, ten_crops) for name in each.NAMES}
