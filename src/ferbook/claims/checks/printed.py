"""Checks of the original's printed numbers against each other and against whole images."""

from __future__ import annotations

from collections.abc import Mapping

from ferbook.claims.evidence import Evidence
from ferbook.claims.feasibility import (
    READINGS,
    class_average,
    matching_averages,
    possible_counts,
    possible_hits,
    solve,
)
from ferbook.claims.ledger import Claim
from ferbook.claims.published import FOLDER_TEST, TEST_SETS, Published
from ferbook.claims.verdict import CONSISTENT, CONTRADICTED, Verdict

_SUPPORTS = TEST_SETS[FOLDER_TEST]


def accuracy_possible(claim: Claim, evidence: Evidence) -> Verdict:
    """Whether some number of right answers on the official test images is printed like this."""
    total = sum(_SUPPORTS.values())
    fits = {reading: _counts(claim, total, reading) for reading in READINGS}
    possible = [(reading, counts) for reading, counts in fits.items() if counts]
    halves = [name for name, n in TEST_SETS.items() if name != FOLDER_TEST and
              any(_counts(claim, sum(n.values()), reading) for reading in READINGS)]  # fmt: skip
    where = f"Also possible on {' and '.join(halves)}." if halves else (
        "Impossible on either half alone, rounded or truncated."
    )  # fmt: skip
    if not possible:
        return Verdict(CONTRADICTED, "none", f"No whole number of {total:,}. {where}")
    (reading, counts), *more = possible
    how = " or ".join(READINGS) if more else reading
    return Verdict(CONSISTENT, f"{counts[0]:,} of {total:,}", f"Possible {how}. {where}")


def fits_test_set(claim: Claim, evidence: Evidence) -> Verdict:
    """Whether accuracy and table fit all official test images, and which parts of them."""
    fits = [name for name, supports in TEST_SETS.items() if _readings(evidence.published, supports)]
    total, leaked = sum(_SUPPORTS.values()), len(evidence.dataset["leaked_files"])
    text = (
        f"Of the readings of the test set, these fit: {', '.join(fits) or 'none'}. {leaked} of the "
        f"{total:,} images have a copy in training, which the words do not exclude."
    )
    grade = CONSISTENT if FOLDER_TEST in fits else CONTRADICTED
    return Verdict(grade, f"{total:,} images" if FOLDER_TEST in fits else "", text)


def table_possible(claim: Claim, evidence: Evidence) -> Verdict:
    """Whether whole numbers of images satisfy all cells and the accuracy at once."""
    fits = _readings(evidence.published, _SUPPORTS)
    if not fits:
        return Verdict(CONTRADICTED, "no", "No whole numbers of images satisfy all cells.")
    text = f"Whole numbers satisfy all cells, if {' or '.join(fits)}."
    return Verdict(CONSISTENT, "yes", text)


def average(claim: Claim, evidence: Evidence, name: str) -> Verdict:
    """Which mean over the classes a cell of the overall row is."""
    means = {how: class_average(evidence.published, _SUPPORTS, how)[name]
             for how in ("weighted", "macro")}  # fmt: skip
    fits = [how for reading in READINGS
            for how in matching_averages(evidence.published, _SUPPORTS, reading)[name]]  # fmt: skip
    text = f"Weighted by class size {means['weighted']:.3f}, unweighted {means['macro']:.3f}."
    how = " or ".join(dict.fromkeys(fits)).replace("macro", "unweighted")
    return Verdict(CONSISTENT if fits else CONTRADICTED, f"{how} mean" if fits else "no mean", text)


def recalls_agree(claim: Claim, evidence: Evidence) -> Verdict:
    """Whether the recalls of the text and those of the table are the same numbers of images."""
    hits = {name: [k for reading in READINGS for k in
                   possible_hits(evidence.published, _SUPPORTS, reading)[name]]
            for name in evidence.published.recalls}  # fmt: skip
    shown = [f"{name} {found[0]:,} of {_SUPPORTS[name]:,}" for name, found in hits.items() if found]
    none = [name for name, found in hits.items() if not found]
    text = f"Impossible for {', '.join(none)}." if none else "Each from a whole number."
    return Verdict(CONTRADICTED if none else CONSISTENT, ", ".join(shown), text)


def extremes_printed(
    claim: Claim,
    evidence: Evidence,
    score: str,
    highest: list[str] | None = None,
    lowest: list[str] | None = None,
) -> Verdict:
    """Whether these classes have the highest or the lowest printed scores."""
    values = {name: scores[score] for name, scores in evidence.published.classes.items()}
    found = outermost(values, len(highest or lowest or ()), high=bool(highest))
    grade = CONSISTENT if set(found) == set(highest or lowest or ()) else CONTRADICTED
    return Verdict(grade, shown(values, found), "Read off Table II.")


def recalls_above_printed(claim: Claim, evidence: Evidence, expressions: list[str]) -> Verdict:
    """Whether the printed recalls of these classes exceed the tolerance."""
    values = {name: evidence.published.classes[name]["recall"] for name in expressions}
    grade = CONSISTENT if min(values.values()) > claim.tolerance.value else CONTRADICTED
    return Verdict(grade, shown(values, expressions), f"Read off Table II ({claim.tolerance}).")


def sum_of(claim: Claim, evidence: Evidence, terms: list[float]) -> Verdict:
    """Whether the terms add up to the printed number."""
    text = f"{' + '.join(f'{term:g}' for term in terms)} = {sum(terms):g}."
    grade = CONSISTENT if claim.readings(sum(terms)) else CONTRADICTED
    return Verdict(grade, f"{sum(terms):g}", text)


def outermost(values: Mapping[str, float], how_many: int, *, high: bool) -> list[str]:
    """The names of the `how_many` highest or lowest values, the outermost first."""
    return sorted(values, key=values.get, reverse=high)[:how_many]


def shown(values: Mapping[str, float], names: list[str]) -> str:
    """These values in words."""
    return ", ".join(f"{name} {values[name]:.2f}" for name in names)


CHECKS = (
    accuracy_possible, fits_test_set, table_possible, average, recalls_agree, extremes_printed,
    recalls_above_printed, sum_of,
)  # fmt: skip


def _readings(published: Published, supports: Mapping[str, int]) -> list[str]:
    """The readings under which whole numbers of these images satisfy all printed numbers."""
    return [reading for reading in READINGS if solve(published, supports, reading)]


def _counts(claim: Claim, total: int, reading: str) -> range:
    return possible_counts(claim.value, total, claim.last_digit, reading)
