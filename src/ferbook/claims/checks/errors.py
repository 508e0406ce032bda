"""Checks on what a run of the original's recipe takes for what."""

from __future__ import annotations

from ferbook.claims.checks.scores import Observed, on_run
from ferbook.claims.evidence import Evidence
from ferbook.claims.ledger import Claim
from ferbook.claims.verdict import Verdict
from ferbook.core.classes import CLASSES
from ferbook.data import ferplus
from ferbook.results.metrics import confusion_matrix
from ferbook.results.run import Run


def confusion_rank(claim: Claim, evidence: Evidence, pair: list[str]) -> Verdict:
    """The rank of a pair among all pairs by errors both ways; the tolerance is the last allowed."""

    def judge(run: Run) -> Observed:
        ranked = ranked_pairs(run)
        rank = next(k for k, (_, names) in enumerate(ranked, 1) if names == set(pair))
        text = f"Of {len(ranked)} pairs, {ranked[rank - 1][0]:,} errors; {claim.tolerance}"
        return rank <= claim.tolerance.value, f"rank {rank}", text

    return on_run(evidence, judge)


def errors_plausible(claim: Claim, evidence: Evidence) -> Verdict:
    """How many wrong answers are the plurality of FER+'s taggers."""

    def judge(run: Run) -> Observed:
        answers = run.test.probabilities.argmax(axis=1)
        second = ferplus.as_class(ferplus.pluralities(run.test.files))
        wrong = (answers != run.test.labels) & (second >= 0)
        plausible = int((wrong & (answers == second)).sum())
        text = "Errors on images of which FER+ has a clear opinion"
        return plausible > 0, f"{plausible:,} of {int(wrong.sum()):,} errors", text

    return on_run(evidence, judge)


def ranked_pairs(run: Run) -> list[tuple[int, set[str]]]:
    """(errors both ways, the two classes) of every pair of classes, the most confused first."""
    counts = confusion_matrix(run.test)
    both = counts + counts.T
    pairs = [(int(both[i, j]), {CLASSES[i], CLASSES[j]}) for i in range(7) for j in range(i)]
    return sorted(pairs, key=lambda row: -row[0])


CHECKS = (confusion_rank, errors_plausible)
