"""Checks on how a run of the original's recipe learned, epoch by epoch."""

from __future__ import annotations

import numpy as np

from ferbook.claims.checks.scores import Observed, on_run
from ferbook.claims.evidence import Evidence
from ferbook.claims.ledger import Claim
from ferbook.claims.verdict import Verdict
from ferbook.results.run import Run

_NAMES = {
    "accuracy": "training accuracy", "val_accuracy": "validation accuracy",
    "loss": "training loss", "val_loss": "validation loss",
}  # fmt: skip
_PHASES = {"warmup": ["warmup"], "finetune": ["finetune"], "all": ["warmup", "finetune"]}


def trend(claim: Claim, evidence: Evidence, column: str, phase: str) -> Verdict:
    """Whether accuracy rises, or loss falls, in a phase, its worst step within the tolerance.

    The last epoch of each phase must be better than its first. A step of a loss is relative.
    """

    def judge(run: Run) -> Observed:
        history, sign = run.history, -1 if "loss" in column else 1
        parts = [history[history["phase"] == name][column].to_numpy() for name in _PHASES[phase]]
        whole = np.concatenate(parts)
        steps = sign * np.diff(whole) / (whole[:-1] if sign < 0 else 1)
        worst = max(0.0, -float(steps.min(initial=0.0)))
        better = [sign * (part[-1] - part[0]) > 0 for part in parts if len(part) > 1]
        against = int((steps < 0).sum())
        text = (
            f"{'; '.join(' to '.join(f'{v:.3f}' for v in part[[0, -1]]) for part in parts)}; "
            f"{against} of {len(steps)} steps the other way, the worst by {worst:.1%}; "
            f"{claim.tolerance}"
        )
        holds = bool(better) and all(better) and worst <= claim.tolerance.value
        return holds, _direction(column, better), f"{_NAMES[column].capitalize()} {text}"

    return on_run(evidence, judge)


def curve_gap(claim: Claim, evidence: Evidence) -> Verdict:
    """The greatest distance of training from validation accuracy in the second phase."""

    def judge(run: Run) -> Observed:
        tuned = run.history[run.history["phase"] == "finetune"]
        gaps = (tuned["accuracy"] - tuned["val_accuracy"]).to_numpy()
        widest = float(gaps[np.abs(gaps).argmax()])
        text = f"Training less validation accuracy, in points; {claim.tolerance}"
        return abs(widest) <= claim.tolerance.value, f"{100 * widest:+.1f} points", text

    return on_run(evidence, judge)


def overfitting(claim: Claim, evidence: Evidence) -> Verdict:
    """How far training accuracy runs ahead of validation accuracy in the second phase."""

    def judge(run: Run) -> Observed:
        tuned = run.history[run.history["phase"] == "finetune"]
        ahead = float((tuned["accuracy"] - tuned["val_accuracy"]).max())
        text = (
            "Training less validation accuracy at most; the former is measured under augmentation "
            f"and dropout; {claim.tolerance}"
        )
        return ahead <= claim.tolerance.value, f"{100 * ahead:+.1f} points", text

    return on_run(evidence, judge)


def schedule_acted(claim: Claim, evidence: Evidence) -> Verdict:
    """Whether the plateau rule lowered the learning rate in the second phase at all."""

    def judge(run: Run) -> Observed:
        rates = run.history[run.history["phase"] == "finetune"]["learning_rate"].to_numpy()
        lowered = int((np.diff(rates) < 0).sum())
        return lowered > 0, f"in {lowered} of {len(rates)} epochs", "Learning rate lowered"

    return on_run(evidence, judge)


CHECKS = (trend, curve_gap, overfitting, schedule_acted)


def _direction(column: str, better: list[bool]) -> str:
    good, bad = ("falls", "rises") if "loss" in column else ("rises", "falls")
    words = [good if good_way else bad for good_way in better]
    return ", then ".join(dict.fromkeys(words))
