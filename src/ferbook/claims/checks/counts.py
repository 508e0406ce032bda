"""Checks that count in the data set."""

from __future__ import annotations

from typing import Any

from ferbook.claims.evidence import Evidence
from ferbook.claims.feasibility import TRUNCATED, possible_counts
from ferbook.claims.ledger import Claim
from ferbook.claims.verdict import CONSISTENT, CONTRADICTED, FACT, NOT_TESTABLE, Verdict
from ferbook.core.classes import SIDE


def dataset(claim: Claim, evidence: Evidence, path: str) -> Verdict:
    """A count of `dataset.json`, at a path such as "usages.Training"; "classes" counts those."""
    counted: Any = evidence.dataset | {"classes": len(evidence.dataset["counts"]["Training"])}
    for name in path.split("."):
        counted = counted[name]
    readings = claim.readings(counted)
    how = " The printed number is truncated, not rounded." if readings == [TRUNCATED] else ""
    return Verdict(_fact(readings), f"{counted:,}", f"Counted in the data.{how}")


def image_side(claim: Claim, evidence: Evidence) -> Verdict:
    """Pixels along a side. The reader of the data refuses an image of another size or in color."""
    text = f"All {evidence.dataset['images']:,} images are gray, {SIDE} by {SIDE} pixels."
    return Verdict(_fact(claim.readings(SIDE)), f"{SIDE} px", text)


def imbalance(claim: Claim, evidence: Evidence) -> Verdict:
    """How many times the images of the smallest class the largest has."""
    counts = _training(evidence)
    most, least = max(counts, key=counts.get), min(counts, key=counts.get)
    ratio = counts[most] / counts[least]
    shown = f"{most} {counts[most]:,}, {least} {counts[least]:,}"
    text = f"Training images: {shown} ({claim.tolerance})."
    return Verdict(_fact(ratio >= claim.tolerance.value), f"{ratio:.1f} times", text)


def fewer(claim: Claim, evidence: Evidence, few: list[str], many: list[str]) -> Verdict:
    """Whether each class of `few` has fewer training images than each of `many`."""
    counts = _training(evidence)
    text = ", ".join(f"{name} {counts[name]:,}" for name in (*few, *many))
    holds = max(counts[name] for name in few) < min(counts[name] for name in many)
    return Verdict(_fact(holds), text, "Training images.")


def label_agreement(claim: Claim, evidence: Evidence) -> Verdict:
    """How many labels are the plurality of FER+'s taggers; below the tolerance they are noisy."""
    agreement = evidence.dataset["ferplus"]["agreement"]
    if agreement is None:
        return Verdict(NOT_TESTABLE, "", "FER+ does not know these images.")
    text = f"Labels that are also the plurality of FER+'s taggers ({claim.tolerance})."
    return Verdict(_fact(agreement < claim.tolerance.value), f"{agreement:.1%}", text)


def doubtful_labels(claim: Claim, evidence: Evidence, expressions: list[str]) -> Verdict:
    """Whether FER+ agrees with these labels less than with all."""
    second = evidence.dataset["ferplus"]
    if second["agreement"] is None:
        return Verdict(NOT_TESTABLE, "", "FER+ does not know these images.")
    shares = {name: second["by_class"][name] for name in expressions}
    found = ", ".join(f"{name} {share:.1%}" for name, share in shares.items())
    whole = f"of all labels {second['agreement']:.1%}"
    text = f"Labels that are also the plurality of FER+'s taggers; {whole}."
    return Verdict(_fact(max(shares.values()) < second["agreement"]), found, text)


def share_possible(claim: Claim, evidence: Evidence, of: str, name: str) -> Verdict:
    """Whether a whole number of the images of the part `of` is the printed share."""
    total = evidence.dataset["usages"][of]
    nearest = round(claim.value * total)
    possible = len(possible_counts(claim.value, total, claim.last_digit)) > 0
    text = f"{nearest:,} of {total:,} images are {nearest / total:.2%}."
    return Verdict(CONSISTENT if possible else CONTRADICTED, f"{nearest:,} images", text)


def clipped_classes(claim: Claim, evidence: Evidence) -> Verdict:
    """Classes whose weight n / (7 n_c) is larger than the printed clip."""
    counts = _training(evidence)
    weights = {c: sum(counts.values()) / (len(counts) * n) for c, n in counts.items()}
    clipped = [c for c, weight in weights.items() if weight > claim.value]
    found = ", ".join(f"{c} {weights[c]:.2f}" for c in clipped) or "none"
    text = f"Without the clip, on the whole training folder: {found}."
    return Verdict(_fact(clipped), f"{len(clipped)} of {len(counts)} classes", text)


CHECKS = (
    dataset, image_side, imbalance, fewer, label_agreement, doubtful_labels,
    share_possible, clipped_classes,
)  # fmt: skip


def _training(evidence: Evidence) -> dict[str, int]:
    return evidence.dataset["counts"]["Training"]


def _fact(holds: Any) -> str:
    return FACT if holds else CONTRADICTED
