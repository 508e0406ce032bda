"""A published table under arithmetic: which test set can it come from, and do its cells agree?

An accuracy is a number of right answers divided by a number of images, so most decimals are
impossible on most test sets. Nothing here needs an image, a model or the authors.

A table is a YAML file (`book/original.yml` is one):

    title, source: of the paper
    test_sets: {name: {class: images}}    optional; else the three readings of FER-2013's test
    printed_to: {accuracy: 0.0001, classes: 0.01, overall: 0.01, recalls: 0.001}
    results:                              or the keys of one result at the top level
      - name: ...
        accuracy: 0.6878
        table_2: {class: {precision: 0.59, recall: 0.65, f1: 0.62}, overall: {...}}
        text_recalls: {class: 0.881}
"""

from __future__ import annotations

import logging
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from scipy.optimize import LinearConstraint, milp

from ferbook.data import OFFICIAL_COUNTS
from ferbook.schema import CLASSES, read_yaml

SCORES = ("precision", "recall", "f1")
_EPSILON = 1e-9  # for floats such as 0.685, which no binary number equals
# Beyond these a file is no table of a paper, and deciding about it could take for ever.
MAX_IMAGES, MAX_CLASSES, MAX_RESULTS, MAX_SECONDS = 10_000_000, 32, 100, 20.0
_PRINTED_TO = {"accuracy": 1e-4, "classes": 1e-2, "overall": 1e-2, "recalls": 1e-3}


def _official(*usages: str) -> dict[str, int]:
    return {c: sum(OFFICIAL_COUNTS[u][i] for u in usages) for i, c in enumerate(CLASSES)}


TEST_SETS = {
    "PublicTest + PrivateTest": _official("PublicTest", "PrivateTest"),
    "PublicTest": _official("PublicTest"),
    "PrivateTest": _official("PrivateTest"),
}
"""Images per class in what papers call the test set of FER-2013."""


class TableError(ValueError):
    """A file is not a table as this module describes it."""


@dataclass(frozen=True)
class Finding:
    """What one check says of one result; `possible` is None where it does not apply."""

    result: str
    check: str
    test_set: str
    possible: bool | None
    detail: str


@dataclass(frozen=True)
class Published:
    """One row of results as a paper prints it: fractions, and the unit they are rounded to."""

    name: str
    accuracy: float | None
    classes: Mapping[str, Mapping[str, float]]
    overall: Mapping[str, float]
    recalls: Mapping[str, float]
    printed_to: Mapping[str, float]


def read_table(path: str | Path) -> tuple[list[Published], dict[str, dict[str, int]]]:
    """The results of a table file, and the test sets they may come from.

    Raises TableError when the file holds no result or a value that is no fraction.
    """
    content = read_yaml(path)
    rows = content.get("results", [content])
    try:
        printed_to = _units(_PRINTED_TO | content.get("printed_to", {}))
        if len(rows) > MAX_RESULTS:
            raise ValueError(f"expected at most {MAX_RESULTS} results, received {len(rows):,}")
        results = [_published(row, content.get("title", ""), printed_to) for row in rows]
        sets = _test_sets(content["test_sets"]) if "test_sets" in content else TEST_SETS
    except (TypeError, ValueError, AttributeError) as error:
        raise TableError(f"{path}: not a table of results ({error}).") from error
    if not any(r.accuracy or r.classes or r.overall for r in results):
        raise TableError(f"{path}: expected an accuracy, a table_2 or an overall row.")
    return results, sets


def audit_table(path: str | Path) -> list[Finding]:
    """Every check on every result of a table file. Raises as `read_table`."""
    results, sets = read_table(path)
    return [finding for result in results for finding in audit_result(result, sets)]


def audit_result(
    result: Published, test_sets: Mapping[str, Mapping[str, int]] = TEST_SETS
) -> list[Finding]:
    """Every check on one result."""
    findings = _note_harmonic_mean(result) if set(SCORES) <= set(result.overall) else []
    for name, supports in test_sets.items():
        if result.accuracy is not None:
            findings.append(_check_accuracy(result, name, supports))
        if result.classes:
            findings += _check_classes(result, name, supports)
    return findings


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


def _units(printed_to: Mapping[str, Any]) -> Mapping[str, float]:
    for name, unit in printed_to.items():
        if not 0 < unit < 1:
            raise ValueError(f"printed_to: {name}: expected a unit below 1, received {unit!r}")
    return printed_to


def _test_sets(content: Mapping[str, Mapping[str, int]]) -> dict[str, dict[str, int]]:
    sets = {str(name): dict(counts) for name, counts in content.items()}
    for name, counts in sets.items():
        if not counts or not all(type(n) is int and 0 < n <= MAX_IMAGES for n in counts.values()):
            raise ValueError(
                f"test_sets: {name}: expected 1 to {MAX_IMAGES:,} images per class, "
                f"received {counts!r:.80}"
            )
    return sets


def _published(row: Mapping[str, Any], title: str, printed_to: Mapping[str, float]) -> Published:
    table = {name: dict(scores) for name, scores in row.get("table_2", {}).items()}
    overall = table.pop("overall", row.get("overall", {}))
    result = Published(
        str(row.get("name", title)), row.get("accuracy"), table, overall,
        row.get("text_recalls", {}), printed_to,
    )  # fmt: skip
    accuracy = 0 if result.accuracy is None else result.accuracy
    values = [accuracy, *overall.values(), *result.recalls.values()]
    for value in [*values, *(v for scores in table.values() for v in scores.values())]:
        if not 0 <= value <= 1:
            raise ValueError(f"expected fractions from 0 to 1, received {value!r}")
    if len(table) > MAX_CLASSES:
        raise ValueError(f"expected at most {MAX_CLASSES} classes, received {len(table):,}")
    for name, scores in table.items():
        if set(scores) != set(SCORES):
            raise ValueError(f"{name}: expected {', '.join(SCORES)}, received {list(scores)}")
    return result


def _check_accuracy(result: Published, name: str, supports: Mapping[str, int]) -> Finding:
    total = sum(supports.values())
    counts = possible_counts(result.accuracy, total, result.printed_to["accuracy"])
    if counts:
        detail = f"{span(counts[0], counts[-1])} of {total:,} right"
    else:
        nearest = round(result.accuracy * total)
        detail = f"nearest is {nearest:,} of {total:,}, {nearest / total:.5f}"
    return Finding(result.name, "accuracy is a whole number of images", name, bool(counts), detail)


def _check_classes(result: Published, name: str, supports: Mapping[str, int]) -> list[Finding]:
    missing = set(result.classes) - set(supports)
    if missing:
        raise TableError(f"{name}: no number of images for {', '.join(sorted(missing))}.")
    hits = possible_hits(result, supports)
    none = [c for c, counts in hits.items() if not counts]
    shown = ", ".join(f"{c} {span(k[0], k[-1])}" for c, k in hits.items() if k)
    details = f"impossible for {', '.join(none)}" if none else shown
    findings = [
        Finding(result.name, "recalls are whole numbers of images", name, not none, details)
    ]
    broken = [c for c in result.classes if not _class_agrees(result, c, supports)]
    details = f"contradictory for {', '.join(broken)}" if broken else "all classes"
    findings.append(
        Finding(result.name, "precision, recall and F1 of a class agree", name, not broken, details)
    )
    bounds = solve(result, supports)
    details = ", ".join(f"{c} {span(*b['predicted'])}"
                        for c, b in bounds.items())  # fmt: skip
    details = f"predicted: {details}" if bounds else "no whole numbers satisfy all cells"
    findings.append(
        Finding(result.name, "all cells and the accuracy agree", name, bool(bounds), details)
    )
    if result.overall:
        means = matching_averages(result, supports)
        details = "; ".join(f"{s}: {' or '.join(m) or 'no average'}" for s, m in means.items())
        fits = all(means.values())
        findings.append(Finding(result.name, "overall row is an average", name, fits, details))
    return findings


def _note_harmonic_mean(result: Published) -> list[Finding]:
    """Says so when F1 was computed from the averaged precision and recall.

    The mean of the classes' F1 scores is another number: averaging and 2PR / (P + R) do not
    commute (Opitz & Burst, arXiv:1911.03347).
    """
    p, r, f1 = (result.overall[score] for score in SCORES)
    harmonic, unit = 2 * p * r / max(p + r, _EPSILON), result.printed_to["overall"]
    if result.classes or abs(harmonic - f1) > unit / 2 + _EPSILON:
        return []
    detail = f"{f1:g} = 2PR / (P + R) of the averages, not an average of the classes' F1"
    return [Finding(result.name, "how the overall F1 was computed", "any", None, detail)]


def _class_agrees(result: Published, name: str, supports: Mapping[str, int]) -> bool:
    """One class against the rest, by mlscorecheck."""
    from mlscorecheck.check.binary import check_1_testset_no_kfold

    logging.getLogger("mlscorecheck").setLevel(logging.WARNING)  # it reports each step
    scores, positive = result.classes[name], supports[name]
    outcome = check_1_testset_no_kfold(
        testset={"p": positive, "n": sum(supports.values()) - positive},
        scores={"ppv": scores["precision"], "sens": scores["recall"], "f1": scores["f1"]},
        eps=result.printed_to["classes"] / 2 + _EPSILON,
    )
    return not outcome["inconsistency"]


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
