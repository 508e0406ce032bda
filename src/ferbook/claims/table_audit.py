"""A published table under arithmetic: which test set can it come from, and do its cells agree?"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ferbook.claims.feasibility import (
    matching_averages,
    possible_counts,
    possible_hits,
    solve,
    span,
)
from ferbook.claims.published import _EPSILON, SCORES, TEST_SETS, Published, TableError, read_table


@dataclass(frozen=True)
class Finding:
    """What one check says of one result; `possible` is None where it does not apply."""

    result: str
    check: str
    test_set: str
    possible: bool | None
    detail: str


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
