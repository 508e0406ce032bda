"""Checks on what a run of the original's recipe takes for what."""

from __future__ import annotations

from ferbook.claims.checks.scores import Observed, on_run
from ferbook.claims.evidence import Evidence
from ferbook.claims.ledger import Claim
from ferbook.claims.verdict import Verdict
from ferbook.data import ferplus
from ferbook.results import metrics
from ferbook.results.run import Run


def confusion_rank(claim: Claim, evidence: Evidence, pair: list[str]) -> Verdict:
    """The rank of a pair among all pairs by errors both ways; the tolerance is the last allowed."""

    def judge(run: Run) -> Observed:
        pairs = metrics.confused_pairs(run.test)
        rank, errors = metrics.confusion_rank(pairs, *pair)
        text = f"Of {len(pairs)} pairs, {errors:,} errors; {claim.tolerance}"
        return rank <= claim.tolerance.value, f"rank {rank}", text

    return on_run(evidence, judge)


def errors_plausible(claim: Claim, evidence: Evidence) -> Verdict:
    """How many wrong answers are the plurality of FER+'s taggers."""

    def judge(run: Run) -> Observed:
        answers = run.test.answers
        second = ferplus.as_class(ferplus.pluralities(run.test.files))
        wrong = (answers != run.test.labels) & (second >= 0)
        plausible = int((wrong & (answers == second)).sum())
        text = "Errors on images for which FER+ has a plurality among the seven classes"
        return plausible > 0, f"{plausible:,} of {int(wrong.sum()):,} errors", text

    return on_run(evidence, judge)


CHECKS = (confusion_rank, errors_plausible)
