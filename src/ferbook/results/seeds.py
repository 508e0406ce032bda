"""How far apart runs of one recipe end by their seeds alone."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

import numpy as np

from ferbook.results.metrics import accuracy
from ferbook.results.run import Run
from ferbook.results.study import LEARNED


def by_recipe(runs: Iterable[Run]) -> dict[tuple[str, str], list[float]]:
    """Accuracies on test, in percent, of each recipe (study, display name) over its seeds."""
    found: dict[tuple[str, str], list[float]] = {}
    for run in runs:
        found.setdefault((run.study, run.label), []).append(100 * accuracy(run.test))
    return found


def pooled_deviation(groups: Iterable[Sequence[float]]) -> tuple[float, int]:
    """Standard deviation within `groups`, pooled over them, and its degrees of freedom.

    (NaN, 0) where no group has two values.
    """
    groups = list(groups)
    freedom = sum(len(group) - 1 for group in groups)
    if freedom == 0:
        return math.nan, 0
    squares = sum(float(np.var(group)) * len(group) for group in groups)
    return math.sqrt(squares / freedom), freedom


def seed_noise(runs: Iterable[Run]) -> float:
    """Standard deviation of test accuracy over seeds, in points, pooled over recipes that learned.

    NaN where no such recipe was run with two seeds.
    """
    groups = by_recipe(runs).values()
    return pooled_deviation(group for group in groups if np.mean(group) >= 100 * LEARNED)[0]


def chance_bound(noise: float, seeds: int) -> float:
    """Twice the standard deviation of a difference between two means over so many seeds."""
    return 2 * noise * math.sqrt(2 / seeds)
