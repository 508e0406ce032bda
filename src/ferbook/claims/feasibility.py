"""Which whole numbers of images the printed scores of a paper allow.

An accuracy is a number of right answers divided by a number of images, so most decimals are
impossible on most test sets. A printed number may be rounded or truncated after its last digit;
papers rarely say which, so both readings are tried. Nothing here needs an image or a model.
"""

from __future__ import annotations

import math
import time
from collections.abc import Mapping

import numpy as np
from scipy.optimize import LinearConstraint, milp

from ferbook.claims.published import SCORES, Published, TableError

ROUNDED, TRUNCATED = READINGS = ("rounded", "truncated")
EPSILON = 1e-9  # for floats such as 0.685, which no binary number equals
MAX_SECONDS = 20.0  # of deciding whether the cells of a table agree on one test set


def printed_range(value: float, unit: float, reading: str = ROUNDED) -> tuple[float, float]:
    """The least and the greatest number that is printed as `value`, to the unit of its last digit.

    Both ends of a rounding interval count, since papers round a half either way; of truncation the
    upper end does not. Raises ValueError for another reading.
    """
    if reading == ROUNDED:
        return value - unit / 2 - EPSILON, value + unit / 2 + EPSILON
    if reading == TRUNCATED:
        return value - EPSILON, value + unit - EPSILON
    raise ValueError(f"reading: expected one of {', '.join(READINGS)}. Received: {reading!r}.")


def possible_counts(value: float, total: int, unit: float, reading: str = ROUNDED) -> range:
    """The whole numbers k of `total` for which k / total is printed as `value`."""
    low, high = printed_range(value * total, unit * total, reading)
    return range(max(0, math.ceil(low)), min(total, math.floor(high)) + 1)


def possible_hits(
    result: Published, supports: Mapping[str, int], reading: str = ROUNDED
) -> dict[str, range]:
    """The numbers of right answers per class that its recalls, in table and text, allow."""
    hits, units = {}, result.printed_to
    for name in {**result.classes, **result.recalls}:
        recalls = {}
        if name in result.classes:
            recalls["classes"] = result.classes[name]["recall"]
        if name in result.recalls:
            recalls["recalls"] = result.recalls[name]
        found = [
            possible_counts(r, supports[name], units[key], reading) for key, r in recalls.items()
        ]
        hits[name] = range(max(k.start for k in found), min(k.stop for k in found))
    return hits


def solve(
    result: Published, supports: Mapping[str, int], reading: str = ROUNDED
) -> dict[str, dict[str, tuple[int, int]]]:
    """Bounds on each class's right answers and predictions that satisfy all cells at once.

    Whole numbers h (right) and p (predicted) per class must give every printed precision h / p,
    recall h / n and F1 2 h / (p + n); the p add up to all images and the h to the accuracy. A class
    that the table leaves out may have any. All of these are linear in h and p, so an integer
    program decides. Its tolerance (1e-6) lets in the end of a range that truncation leaves out: it
    errs toward "possible". Returns class -> {"hits", "predicted"} -> (least, most); empty when no
    whole numbers satisfy all of them. Raises TableError when that takes too long to decide.
    """
    constraints, names = _constraints(result, supports, reading), list(supports)
    end = time.monotonic() + MAX_SECONDS
    if _extreme(constraints, 0, 0, end) is None:
        return {}
    return {
        name: {
            key: (_extreme(constraints, column, 1, end), _extreme(constraints, column, -1, end))
            for key, column in (
                ("hits", names.index(name)), ("predicted", len(names) + names.index(name)),
            )
        }
        for name in result.classes
    }  # fmt: skip


def class_average(result: Published, supports: Mapping[str, int], how: str) -> dict[str, float]:
    """Mean of each column over the classes; `how` is "macro" or "weighted" (by class size)."""
    names = list(result.classes)
    weights = [supports[name] if how == "weighted" else 1 for name in names]
    return {
        score: float(np.average([result.classes[n][score] for n in names], weights=weights))
        for score in SCORES
    }


def matching_averages(
    result: Published, supports: Mapping[str, int], reading: str = ROUNDED
) -> dict[str, list[str]]:
    """Which averages of the class rows each cell of the overall row can be.

    The cells averaged are rounded or truncated themselves, so their true mean is only known to lie
    in a range as wide as their last digit.
    """
    units = result.printed_to
    means = {how: class_average(result, supports, how) for how in ("macro", "weighted")}
    found = {}
    for score in (score for score in SCORES if score in result.overall):
        low, high = printed_range(result.overall[score], units["overall"], reading)
        ranges = {h: printed_range(means[h][score], units["classes"], reading) for h in means}
        found[score] = [h for h, (a, b) in ranges.items() if min(b, high) - max(a, low) > EPSILON]
    return found


def span(low: int, high: int) -> str:
    """Both bounds in words, or the one number that they leave."""
    return f"{low:,}" if low == high else f"{low:,} to {high:,}"


def _constraints(
    result: Published, supports: Mapping[str, int], reading: str
) -> list[LinearConstraint]:
    """Rows over the columns (h of each class, then p of each class)."""
    names, unit = list(supports), result.printed_to["classes"]
    hits, k, total = possible_hits(result, supports, reading), len(names), sum(supports.values())
    rows, lows, highs = [], [], []

    def add(h: np.ndarray | float, p: np.ndarray | float, low: float, high: float) -> None:
        rows.append(np.concatenate([h * np.ones(k), p * np.ones(k)]))
        lows.append(low)
        highs.append(high)

    for i, name in enumerate(names):
        one, n = np.eye(k)[i], supports[name]
        _add_range(add, one, hits.get(name, range(n + 1)))
        add(-one, one, 0, np.inf)  # whoever is right has been predicted
        if name not in result.classes:
            continue
        scores = result.classes[name]
        # low <= h / p <= high and low <= 2 h / (p + n) <= high, times p and times p + n
        for factor, offset, score in ((1, 0, "precision"), (2, n, "f1")):
            low, high = printed_range(scores[score], unit, reading)
            add(factor * one, -low * one, low * offset, np.inf)
            add(-factor * one, high * one, -high * offset, np.inf)
        if printed_range(scores["precision"], unit, reading)[0] > 0:
            add(0, one, 1, np.inf)  # of no answers the precision is 0
    add(0, 1, total, total)
    if result.accuracy is not None:
        printed = result.accuracy, total, result.printed_to["accuracy"]
        _add_range(add, 1, possible_counts(*printed, reading))
    return [LinearConstraint(np.array(rows), lows, highs)]


def _add_range(add, h: np.ndarray | float, counts: range) -> None:
    """`counts` as bounds; 1 to 0, which nothing meets, where it is empty."""
    add(h, 0, *((counts[0], counts[-1]) if counts else (1, 0)))


def _extreme(constraints: list[LinearConstraint], column: int, sign: int, end: float) -> int | None:
    """The least (sign 1), greatest (-1) or any (0) value of one column; None when none is feasible.

    `end` is when to give up, by time.monotonic.
    """
    size = constraints[0].A.shape[1]
    found = milp(
        sign * np.eye(size)[column], constraints=constraints, integrality=np.ones(size),
        # HiGHS 1.12's presolve calls some tables impossible that are not: see the tests.
        options={
            "time_limit": max(0.0, end - time.monotonic()), "mip_rel_gap": 0, "presolve": False,
        },
    )  # fmt: skip
    if found.status == 1:
        raise TableError(f"not decided within {MAX_SECONDS:g} s whether the cells agree.")
    if found.status not in (0, 2):  # found, or there is none
        raise TableError(f"not decided whether the cells agree: {found.message}")
    return None if found.x is None else round(found.x[column])
