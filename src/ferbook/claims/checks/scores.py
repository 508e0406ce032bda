"""Checks that only a training run of the original's recipe can decide."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ferbook.claims.checks.printed import outermost, shown
from ferbook.claims.evidence import Evidence
from ferbook.claims.feasibility import READINGS, possible_hits
from ferbook.claims.ledger import Claim
from ferbook.claims.published import FOLDER_TEST, TEST_SETS
from ferbook.claims.verdict import (
    CONTRADICTED,
    NOT_REPLICATED,
    NOT_RUN,
    NOT_SEEN,
    REPLICATED,
    SEEN,
    UNDECIDED,
    Verdict,
)
from ferbook.core.classes import CLASSES
from ferbook.results import metrics
from ferbook.results.names import model_name, scale_words
from ferbook.results.run import Run

WIDEST = 0.02  # within more, of a score in [0, 1], a run replicates nothing
Observed = tuple[bool, str, str]  # whether it holds, what was found, in what words


def on_run(evidence: Evidence, judge: Callable[[Run], Observed]) -> Verdict:
    """What `judge` says of a run of the original's configuration, else of all stand-ins.

    The evidence is that of the nearest; where others of them say otherwise, it is undecided.
    """
    exact, others = evidence.exact(), evidence.stand_ins()
    if exact is not None:
        holds, found, text = judge(exact)
        grade = REPLICATED if holds else NOT_REPLICATED
        return Verdict(grade, found, f"{text} ({_run_words(exact)}).")
    if not others:
        return Verdict(NOT_RUN, "", "No run of this recipe in the store.")
    holds, found, text = judge(others[0])
    times, runs = sum(judge(run)[0] for run in others), len(others)
    grade = (SEEN if holds else NOT_SEEN) if times in (0, runs) else UNDECIDED
    count = f" It holds in {times} of {runs} runs of the recipe." * (runs > 1)
    return Verdict(grade, found, f"{text} ({_run_words(others[0])}).{count}")


def score(claim: Claim, evidence: Evidence, of: str, name: str = "", column: str = "") -> Verdict:
    """A score of the original's own configuration, unless arithmetic excludes it.

    `of` is a path in `metrics.score`, `name` and `column` are further steps of it. Another network
    says nothing of the claim; its score is told, and the claim is not run.
    """
    path = [*of.split("."), *filter(None, (name, column))]
    if why := _impossible(evidence, path):
        return Verdict(CONTRADICTED, "", why, "03_results#tab-audit")
    exact, others = evidence.exact(), evidence.stand_ins()
    if exact is not None:
        return _replication(claim, evidence, exact, path)
    if not others:
        return Verdict(NOT_RUN, "", "No run of this recipe in the store.")
    nearest = others[0]
    text = f"It takes a GPU and EfficientNetB2's ImageNet weights; stand-in: {_run_words(nearest)}."
    return Verdict(NOT_RUN, f"stand-in: {_printed(claim, value_at(nearest, path))}", text)


def extremes(
    claim: Claim,
    evidence: Evidence,
    score: str,
    highest: list[str] | None = None,
    lowest: list[str] | None = None,
) -> Verdict:
    """Whether these classes have the highest or the lowest scores."""
    wanted = highest or lowest or []

    def judge(run: Run) -> Observed:
        values = {name: value_at(run, ["classes", name, score]) for name in CLASSES}
        found = outermost(values, len(wanted), high=bool(highest))
        text = f"The {'highest' if highest else 'lowest'} on all test images"
        return set(found) == set(wanted), shown(values, found), text

    return on_run(evidence, judge)


def below_mean(claim: Claim, evidence: Evidence, score: str, expressions: list[str]) -> Verdict:
    """Whether these classes score lower than the classes do on average."""

    def judge(run: Run) -> Observed:
        values = {name: value_at(run, ["classes", name, score]) for name in CLASSES}
        average = float(np.mean(list(values.values())))
        text = f"On all test images; the mean of the classes is {average:.2f}"
        return max(values[n] for n in expressions) < average, shown(values, expressions), text

    return on_run(evidence, judge)


def recalls_above(claim: Claim, evidence: Evidence, expressions: list[str]) -> Verdict:
    """Whether the recalls of these classes exceed the tolerance."""

    def judge(run: Run) -> Observed:
        values = {name: value_at(run, ["classes", name, "recall"]) for name in expressions}
        holds = min(values.values()) > claim.tolerance.value
        return holds, shown(values, expressions), f"Recalls; {claim.tolerance}"

    return on_run(evidence, judge)


def beats_baselines(claim: Claim, evidence: Evidence) -> Verdict:
    """Whether the recipe's network is right on more test images than each classical baseline."""
    if not evidence.baselines:
        return Verdict(NOT_RUN, "", "No classical baseline in the store.")
    accuracies = {name: metrics.accuracy(a.test) for name, a in evidence.baselines.items()}
    best = max(accuracies, key=accuracies.get)

    def judge(run: Run) -> Observed:
        ours = metrics.accuracy(run.test)
        text = f"The best of {len(accuracies)} baselines, {model_name(best)}"
        return ours > accuracies[best], f"{ours:.1%} against {accuracies[best]:.1%}", text

    return on_run(evidence, judge)


def value_at(run: Run, path: list[str]) -> float:
    """A score on all test images, at a path such as ["classes", "sad", "f1"]."""
    value: Any = metrics.score(run.test)
    for step in path:
        value = value[step]
    return value


CHECKS = (score, extremes, below_mean, recalls_above, beats_baselines)


def _replication(claim: Claim, evidence: Evidence, run: Run, path: list[str]) -> Verdict:
    """Within the printed digit and what another seed would change, if that is little enough."""
    measured = value_at(run, path)
    spread = evidence.spread(lambda other: value_at(other, path))
    allowed = claim.last_digit / 2 + (spread.value if spread else 0.0)
    distance = abs(measured - claim.value)
    grade = REPLICATED if claim.readings(measured) or distance <= allowed else NOT_REPLICATED
    if grade == REPLICATED and allowed > WIDEST:
        grade = UNDECIDED
    why = f"{allowed:.3f} allowed, {spread.source}" if spread else "too few seeds for a tolerance"
    return Verdict(
        grade, _printed(claim, measured), f"{_run_words(run)}; {distance:.3f} off, {why}."
    )


def _impossible(evidence: Evidence, path: list[str]) -> str:
    """Why a recall cannot come from the official test images; empty when it can."""
    supports = TEST_SETS[FOLDER_TEST]
    if not (path[0] == "classes" and path[-1] == "recall"):
        return ""
    hits = [k for r in READINGS for k in possible_hits(evidence.published, supports, r)[path[1]]]
    return "" if hits else f"No whole number of {supports[path[1]]:,} images gives this recall."


def _run_words(run: Run) -> str:
    return f"{scale_words(run.recipe)}, seed {run.recipe.seed}"


def _printed(claim: Claim, measured: float) -> str:
    """`measured` to as many digits as the original prints."""
    digits = max(0, -int(np.floor(np.log10(claim.printed_to) + 1e-9)))
    return f"{100 * measured:.{digits}f}%" if claim.unit == "%" else f"{measured:.{digits}f}"
