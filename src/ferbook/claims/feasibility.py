"""Which whole numbers of images the printed scores of a paper allow."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
from scipy.optimize import LinearConstraint, milp

from ferbook.claims.published import _EPSILON, MAX_SECONDS, SCORES, Published, TableError


def possible_counts(value: float, total: int, unit: float) -> range:
    """The whole numbers k for which k / total is printed as `value`, rounded to `unit`."""
    low, high = (value - unit / 2) * total, (value + unit / 2) * total
    return range(max(0, math.ceil(low - _EPSILON)), min(total, math.floor(high + _EPSILON)) + 1)


def possible_hits(result: Published, supports: Mapping[str, int]) -> dict[str, range]:
    """The numbers of right answers per class that its recalls, in table and text, allow."""
    hits = {}
    for name, scores in result.classes.items():
        found = possible_counts(scores["recall"], supports[name], result.printed_to["classes"])
        if name in result.recalls:
            sharp = result.recalls[name], supports[name], result.printed_to["recalls"]
            other = possible_counts(*sharp)
            found = range(max(found.start, other.start), min(found.stop, other.stop))
        hits[name] = found
    return hits


def solve(result: Published, supports: Mapping[str, int]) -> dict[str, dict[str, tuple[int, int]]]:
    """Bounds on each class's right answers and predictions that satisfy all cells at once.

    Whole numbers h (right) and p (predicted) per class must give every printed precision h / p,
    recall h / n and F1 2 h / (p + n); the p add up to all images and the h to the accuracy. All
    of these are linear in h and p, so an integer program decides. Returns class -> {"hits",
    "predicted"} -> (least, most); empty when no whole numbers satisfy all of them.
    """
    names, constraints = list(result.classes), _constraints(result, supports)
    bounds = {}
    for i, name in enumerate(names):
        bounds[name] = {
            key: (_extreme(constraints, column, 1), _extreme(constraints, column, -1))
            for key, column in (("hits", i), ("predicted", len(names) + i))
        }
        if None in bounds[name]["hits"]:
            return {}
    return bounds


def average(result: Published, supports: Mapping[str, int], how: str) -> dict[str, float]:
    """Mean of each column over the classes; `how` is "macro" or "weighted" (by class size)."""
    names = list(result.classes)
    weights = [supports[name] if how == "weighted" else 1 for name in names]
    return {
        score: float(np.average([result.classes[n][score] for n in names], weights=weights))
        for score in SCORES
    }


def matching_averages(result: Published, supports: Mapping[str, int]) -> dict[str, list[str]]:
    """Which averages of the class rows each cell of the overall row can be.

    The cells averaged are rounded themselves, so a mean may be off by half a unit more.
    """
    slack = (result.printed_to["classes"] + result.printed_to["overall"]) / 2 + _EPSILON
    means = {how: average(result, supports, how) for how in ("macro", "weighted")}
    return {
        score: [how for how in means if abs(means[how][score] - result.overall[score]) <= slack]
        for score in SCORES
        if score in result.overall
    }


def _constraints(result: Published, supports: Mapping[str, int]) -> list[LinearConstraint]:
    """Rows over the columns (h of each class, then p of each class)."""
    names, half = list(result.classes), result.printed_to["classes"] / 2 + _EPSILON
    hits, k, total = possible_hits(result, supports), len(result.classes), sum(supports.values())
    rows, lows, highs = [], [], []

    def add(h: np.ndarray | float, p: np.ndarray | float, low: float, high: float) -> None:
        rows.append(np.concatenate([h * np.ones(k), p * np.ones(k)]))
        lows.append(low)
        highs.append(high)

    for i, name in enumerate(names):
        unit, n, scores = np.eye(k)[i], supports[name], result.classes[name]
        add(unit, 0, hits[name].start if hits[name] else 1, hits[name].stop - 1)
        for sign in (-1, 1):  # |h / p - P| <= half and |2 h / (p + n) - F| <= half, times p
            bound = scores["precision"] + sign * half
            add(-sign * unit, sign * bound * unit, 0, np.inf)
            bound = scores["f1"] + sign * half
            add(-2 * sign * unit, sign * bound * unit, -sign * bound * n, np.inf)
    add(0, 1, total, total)
    if result.accuracy is not None:
        counts = possible_counts(result.accuracy, total, result.printed_to["accuracy"])
        add(1, 0, counts.start if counts else 1, counts.stop - 1 if counts else 0)
    return [LinearConstraint(np.array(rows), lows, highs)]


def _extreme(constraints: list[LinearConstraint], column: int, sign: int) -> int | None:
    """The least (sign 1) or greatest (-1) value of one column; None when nothing is feasible."""
    size = constraints[0].A.shape[1]
    found = milp(
        sign * np.eye(size)[column], constraints=constraints, integrality=np.ones(size),
        options={"time_limit": MAX_SECONDS},
    )  # fmt: skip
    if found.status == 1:
        raise TableError(f"not decided within {MAX_SECONDS:g} s whether the cells agree.")
    return None if found.x is None else round(found.x[column])


def span(low: int, high: int) -> str:
    """Both bounds in words, or the one number that they leave."""
    return f"{low:,}" if low == high else f"{low:,} to {high:,}"
