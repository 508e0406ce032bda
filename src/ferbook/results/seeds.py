"""How far apart runs of one recipe end by their seeds alone."""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterable, Mapping, Sequence
from typing import NamedTuple, TypeVar

import numpy as np
from scipy.stats import f as fisher
from scipy.stats import t as student

from ferbook.results.metrics import accuracy
from ferbook.results.run import Run
from ferbook.results.study import LEARNED

OUTLYING = 0.01  # p below which a variance is no chance
K = TypeVar("K", bound=Hashable)


def at_scale(runs: Iterable[Run], backbone: str, image_size: int) -> list[Run]:
    """Those of this network and input size (px) that had all training images."""
    place = backbone, image_size, 0
    return [
        run for run in runs
        if (run.recipe.backbone, run.recipe.image_size, run.recipe.train_images) == place
    ]  # fmt: skip


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


def of_like_spread(groups: Mapping[K, Sequence[float]]) -> dict[K, Sequence[float]]:
    """`groups` without those that vary by far more than the others, which no pool can describe.

    Cochran's test of the largest variance, repeated on what is left. Groups may differ in size, so
    it is the F test of one variance against all others, corrected for the number of groups that
    have one. Equal groups count once, as of one training that two studies hold.
    Source: Cochran, The distribution of the largest of a set of estimated variances as a fraction
    of their total, Annals of Eugenics 1941.
    """
    left = _different(groups)
    while left:
        chances = [_chance_of_spread(left, i) for i in range(len(left))]
        if min(chances) * sum(len(group) > 1 for group in left) >= OUTLYING:
            break
        del left[chances.index(min(chances))]
    return {name: group for name, group in groups.items() if tuple(group) in left}


def _chance_of_spread(groups: Sequence[Sequence[float]], i: int) -> float:
    """p of a variance as far above that of all other groups; 1 where one is unknown or zero."""
    own, freedom = pooled_deviation([groups[i]])
    rest, others = pooled_deviation([*groups[:i], *groups[i + 1 :]])
    return float(fisher.sf((own / rest) ** 2, freedom, others)) if freedom and rest > 0 else 1.0


def seed_noise(runs: Iterable[Run]) -> float:
    """Standard deviation of test accuracy over seeds, in points, pooled over recipes.

    Without those that did not learn or are not `of_like_spread`; equal ones count once, as of one
    training that two studies hold. NaN where no recipe was run with two seeds.
    """
    groups = by_recipe(runs)
    learned = {name: group for name, group in groups.items() if np.mean(group) >= 100 * LEARNED}
    return common_deviation(learned)[0]


def common_deviation(groups: Mapping[K, Sequence[float]]) -> tuple[float, int]:
    """`pooled_deviation` of groups `of_like_spread`, of which equal ones count once."""
    return pooled_deviation(_different(of_like_spread(groups)))


def _different(groups: Mapping[K, Sequence[float]]) -> list[tuple[float, ...]]:
    return list(dict.fromkeys(map(tuple, groups.values())))


class Difference(NamedTuple):
    """Between two means over seeds: `error` is half of its 95% interval, `p` that of no difference.

    Both are NaN where no recipe has two seeds; p is also NaN where no seed made a difference.
    `alike`: both differ from seed to seed by as much as the other groups do.
    """

    mean: float
    error: float
    p: float
    alike: bool


def compared(groups: Mapping[K, Sequence[float]], base: K) -> dict[K, Difference]:
    """Each group's mean less that of `base`, with Student's interval and p.

    Seeds are independent samples of each recipe. Their standard deviation is `common_deviation`;
    a group that is not `of_like_spread` has its own.
    """
    alike = of_like_spread(groups)
    pool = pooled_deviation(_different(alike))

    def compare(name: K) -> Difference:
        mean = float(np.mean(groups[name]) - np.mean(groups[base]))
        spreads = [
            (pool if one in alike else pooled_deviation([groups[one]]), len(groups[one]))
            for one in (name, base)
        ]
        error = math.sqrt(sum(deviation**2 / seeds for (deviation, _), seeds in spreads))
        freedom = min(freedom for (_, freedom), _ in spreads)
        both_alike = name in alike and base in alike
        if not error > 0:
            return Difference(mean, error, math.nan, both_alike)
        p = 2 * student.sf(abs(mean) / error, freedom)
        half = float(student.ppf(0.975, freedom)) * error
        return Difference(mean, half, float(p), both_alike)

    return {name: compare(name) for name in groups if name != base}
