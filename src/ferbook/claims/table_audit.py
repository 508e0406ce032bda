"""A published table under arithmetic: which test set can it come from, and do its cells agree?

Each check is made twice, as if the printed numbers were rounded and as if they were truncated. A
result is excluded from a test set only where both readings fail.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from ferbook.claims.feasibility import (
    EPSILON,
    READINGS,
    matching_averages,
    possible_counts,
    possible_hits,
    printed_range,
    solve,
    span,
)
from ferbook.claims.published import SCORES, TEST_SETS, Published, TableError, read_table

ACCURACY, RECALLS, CLASSES_AGREE, ALL_AGREE, OVERALL = CHECKS = (
    "accuracy is a whole number of images",
    "recalls are whole numbers of images",
    "precision, recall and F1 of a class agree",
    "all cells and the accuracy agree",
    "overall row is an average",
)
HARMONIC = "how the overall F1 was computed"


@dataclass(frozen=True)
class Finding:
    """What one check says of one result under one reading.

    `result` names the row of the table, `check` the check, `test_set` the images, `reading` whether
    numbers were rounded or truncated. `possible` is None for a note; `detail` says more in words.
    """

    result: str
    check: str
    test_set: str
    reading: str
    possible: bool | None
    detail: str


def audit_table(path: str | Path) -> list[Finding]:
    """Every check on every result of a table file: whether it is possible on a test set.

    The file is YAML: `accuracy`, `table_2` with precision, recall and F1 by class, `overall`, or
    `results` with a list of such; `ferbook.claims.published` describes it, and `book/original.yml`
    is an example. Raises TableError, a FerbookError, for a file that is no such table.
    """
    results, test_sets = read_table(path)
    return [finding for result in results for finding in audit_result(result, test_sets)]


def audit_result(
    result: Published, test_sets: Mapping[str, Mapping[str, int]] = TEST_SETS
) -> list[Finding]:
    """Every check on one result, by test set and reading."""
    findings = list(_notes(result))
    for name, supports in test_sets.items():
        for reading in READINGS:
            findings += [
                Finding(result.name, check, name, reading, possible, detail)
                for check, possible, detail in _checks(result, name, supports, reading)
            ]
    return findings


def readings_that_fit(findings: Iterable[Finding]) -> dict[tuple[str, str], list[str]]:
    """(result, test set) -> the readings under which it passes every check."""
    fits: dict[tuple[str, str], dict[str, bool]] = {}
    for f in findings:
        if f.possible is not None:
            verdicts = fits.setdefault((f.result, f.test_set), dict.fromkeys(READINGS, True))
            verdicts[f.reading] &= f.possible
    return {key: [r for r, fit in verdicts.items() if fit] for key, verdicts in fits.items()}


def _checks(
    result: Published, name: str, supports: Mapping[str, int], reading: str
) -> Iterator[tuple[str, bool, str]]:
    if result.accuracy is not None:
        yield ACCURACY, *_accuracy(result, sum(supports.values()), reading)
    if missing := set(result.classes) - set(supports):
        raise TableError(
            f"{result.name}: {name} has no number of images for {', '.join(sorted(missing))}; its "
            f"classes are {', '.join(supports)}."
        )
    if result.classes or result.recalls:
        yield RECALLS, *_recalls(result, supports, reading)
    if not result.classes:
        return
    yield CLASSES_AGREE, *_classes_agree(result, supports, reading)
    yield ALL_AGREE, *_all_agree(result, supports, reading)
    if result.overall:
        yield OVERALL, *_overall(result, supports, reading)


def _accuracy(result: Published, total: int, reading: str) -> tuple[bool, str]:
    counts = possible_counts(result.accuracy, total, result.printed_to["accuracy"], reading)
    if counts:
        return True, f"{span(counts[0], counts[-1])} of {total:,} right"
    nearest = round(result.accuracy * total)
    return False, f"nearest is {nearest:,} of {total:,}, {nearest / total:.5f}"


def _recalls(result: Published, supports: Mapping[str, int], reading: str) -> tuple[bool, str]:
    hits = possible_hits(result, supports, reading)
    none = [name for name, counts in hits.items() if not counts]
    shown = ", ".join(f"{name} {span(k[0], k[-1])}" for name, k in hits.items() if k)
    return not none, f"impossible for {', '.join(none)}" if none else shown


def _classes_agree(
    result: Published, supports: Mapping[str, int], reading: str
) -> tuple[bool, str]:
    broken = [c for c in result.classes if not _class_agrees(result, c, supports, reading)]
    return not broken, f"contradictory for {', '.join(broken)}" if broken else "all classes"


def _class_agrees(result: Published, name: str, supports: Mapping[str, int], reading: str) -> bool:
    """One class against the rest, by mlscorecheck, which wants the middle of each range."""
    from mlscorecheck.check.binary import check_1_testset_no_kfold

    logging.getLogger("mlscorecheck").setLevel(logging.WARNING)  # it reports each step
    positive, unit = supports[name], result.printed_to["classes"]
    ranges = {k: printed_range(v, unit, reading) for k, v in result.classes[name].items()}
    names = {"ppv": "precision", "sens": "recall", "f1": "f1"}
    outcome = check_1_testset_no_kfold(
        testset={"p": positive, "n": sum(supports.values()) - positive},
        scores={theirs: sum(ranges[ours]) / 2 for theirs, ours in names.items()},
        eps=unit / 2 + EPSILON,
    )
    return not outcome["inconsistency"]


def _all_agree(result: Published, supports: Mapping[str, int], reading: str) -> tuple[bool, str]:
    bounds = solve(result, supports, reading)
    details = ", ".join(f"{c} {span(*b['predicted'])}" for c, b in bounds.items())
    return bool(bounds), f"predicted: {details}" if bounds else "no whole numbers satisfy all cells"


def _overall(result: Published, supports: Mapping[str, int], reading: str) -> tuple[bool, str]:
    means = matching_averages(result, supports, reading)
    details = "; ".join(f"{s}: {' or '.join(m) or 'no average'}" for s, m in means.items())
    return all(means.values()), details


def _notes(result: Published) -> Iterator[Finding]:
    """Says so when F1 was computed from the averaged precision and recall.

    The mean of the classes' F1 scores is another number: averaging and 2PR / (P + R) do not
    commute (Opitz & Burst, arXiv:1911.03347).
    """
    if result.classes or not set(SCORES) <= set(result.overall):
        return
    p, r, f1 = (result.overall[score] for score in SCORES)
    low, high = printed_range(f1, result.printed_to["overall"])
    if low <= 2 * p * r / max(p + r, EPSILON) <= high:
        detail = f"{f1:g} = 2PR / (P + R) of the averages, not an average of the classes' F1"
        yield Finding(result.name, HARMONIC, "any", "any", None, detail)
