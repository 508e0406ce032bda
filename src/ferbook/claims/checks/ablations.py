"""Checks on what a part of the original's recipe is worth: the recipe with and without it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from ferbook.claims.effects import MEASURES, Effect, Measure, effect, scales
from ferbook.claims.evidence import Evidence
from ferbook.claims.ledger import Claim
from ferbook.claims.verdict import (
    ANSWERED,
    CONTRADICTED,
    FACT,
    NOT_RUN,
    NOT_SEEN,
    NOT_TESTABLE,
    SEEN,
    UNDECIDED,
    Verdict,
)
from ferbook.results.names import seed_count
from ferbook.results.study import LEARNED


def ablation(claim: Claim, evidence: Evidence, without: Mapping[str, Any], measure: str) -> Verdict:
    """Whether a measure is better with a part of the recipe than without, beyond other seeds.

    `without` are the fields of the recipe without that part. What a part should prevent must
    happen without it. Nothing is graded by one seed, by seeds that are too far apart to show it, by
    scales that disagree, or by networks that did not learn; nor a part of which float32 leaves
    nothing, since the original may have used another implementation.
    """
    how = MEASURES[measure]
    found = effect(evidence.runs, without, how)
    if found is None:
        return _not_run(evidence, without)
    better = found.difference if how.more else -found.difference
    beyond = better > 0 and better > found.error
    nothing = not how.more and found.without <= 0  # low without the part, too
    text = _words(found, how) + " Nothing to prevent." * nothing
    text += " The original does not name its implementation." * found.identical
    grade = SEEN if beyond else NOT_SEEN
    contrary = any(gain * found.difference < 0 for gain, _ in found.elsewhere)
    doubtful = found.seeds < 2 or (found.uneven and not beyond) or not found.learned
    if doubtful or nothing or (beyond and contrary):
        grade = UNDECIDED
    if found.identical:
        grade = NOT_TESTABLE
    return Verdict(grade, f"{100 * found.difference:+.2f} points", text, _page(found))


def question(claim: Claim, evidence: Evidence, change: Mapping[str, Any]) -> Verdict:
    """What a change of the recipe does to the accuracy on test images."""
    how = MEASURES["accuracy"]
    found = effect(evidence.runs, change, how)
    if found is None:
        return _not_run(evidence, change)
    points = f"{100 * (found.without - found.whole):+.2f} points"
    elsewhere = tuple((-gain, where) for gain, where in found.elsewhere)
    text = _words(found._replace(elsewhere=elsewhere), how, ("as it is", "with the change"))
    return Verdict(ANSWERED, points, text, _page(found))


def weight_decay(claim: Claim, evidence: Evidence, rate: float, decay: float) -> Verdict:
    """Whether a step of decoupled decay changes a weight in float32.

    Keras multiplies a weight by 1 - rate * decay, as PyTorch does; Loshchilov & Hutter's Algorithm
    2, at its constant schedule, and TensorFlow Addons by 1 - decay. Between neighboring float32
    numbers lies at least 2^-24 of the larger one; a change of less than half of that is rounded
    away. Where the two ways disagree, the original does not say which it took.
    """
    share, least = rate * decay, float(np.finfo(np.float32).epsneg) / 2
    text = (
        f"In Keras's AdamW a step takes rate times decay, {share:.0e} of a weight; float32 rounds "
        f"less than {least:.1e} away."
    )
    found = _with_adam(evidence)
    if found is not None and found.identical:
        text += f" Adam and AdamW gave the same bits in {found.seeds} pairs of runs."
    if share >= least:
        return Verdict(FACT, f"{share:.0e} a step", text)
    if decay < least:
        return Verdict(CONTRADICTED, f"{share:.0e} a step", text)
    text += (
        f" An AdamW that takes {decay:.0e} whatever the rate, as in its source, changes the "
        "weights. The original does not name its implementation."
    )
    return Verdict(NOT_TESTABLE, f"{share:.0e} a step in Keras", text)


def deterministic(claim: Claim, evidence: Evidence) -> Verdict:
    """Whether two trainings that must agree gave the same answers: Adam, and AdamW that does not
    decay."""
    found = _with_adam(evidence)
    if found is None:
        return Verdict(NOT_RUN, "", "No two trainings of one recipe, images and seed in the store.")
    text = (
        f"{found.seeds} pairs of runs on processors with the same seed, one with Adam and one with "
        "AdamW, whose decay float32 rounds away. On a GPU it was not run."
    )
    grade = SEEN if found.identical else NOT_SEEN
    return Verdict(grade, "the same bits" if found.identical else "other bits", text, _page(found))


CHECKS = (ablation, question, weight_decay, deterministic)


def _with_adam(evidence: Evidence) -> Effect | None:
    """AdamW against Adam at any accuracy: whether bits agree needs no trained network."""
    return effect(evidence.runs, {"finetune_optimizer": "adam"}, MEASURES["accuracy"], least=0)


def _not_run(evidence: Evidence, change: Mapping[str, Any]) -> Verdict:
    if not scales(evidence.runs, change, least=0):
        text = "No runs of the original's recipe that differ in this alone."
        return Verdict(NOT_RUN, "", text)
    text = (
        "Of the runs of the original's recipe that differ in this alone none reached an accuracy "
        f"of {LEARNED:.0%}."
    )
    return Verdict(UNDECIDED, "", text)


def _words(found: Effect, how: Measure, states: tuple[str, str] = ("with", "without")) -> str:
    seeds = f"{found.where}, {seed_count(found.seeds)}"
    if found.identical:
        return f"The same answers bit for bit ({seeds})."
    error = "unknown" if np.isnan(found.error) else f"{100 * found.error:.1f} points"
    return (
        f"{how.name[0].upper()}{how.name[1:]} {found.whole:.1%} {states[0]}, "
        f"{found.without:.1%} {states[1]} ({seeds}; 95% error {error}, uncorrected)."
        + "".join(
            f" Elsewhere {100 * gain:+.1f} points ({where})." for gain, where in found.elsewhere
        )
    )


def _page(found: Effect) -> str:
    """Where the chapter shows the study; the runs of any other are in the list of all runs."""
    shown = found.study == "paper_changes"
    return "04_ablations#fig-paper_changes" if shown else "../all_runs#tab-ledger"
