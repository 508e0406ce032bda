"""Checks on the size of networks: counted on built models, or worked out."""

from __future__ import annotations

import itertools
import math

from ferbook.claims.evidence import Evidence
from ferbook.claims.ledger import Claim
from ferbook.claims.verdict import CONSISTENT, CONTRADICTED, FACT, NOT_TESTABLE, Verdict
from ferbook.results.names import network_name

# Filters of VGG16's thirteen 3 by 3 convolutions; Simonyan & Zisserman, ICLR 2015, Table 1, D.
_VGG16_FILTERS = (64, 64, 128, 128, 256, 256, 256, 512, 512, 512, 512, 512, 512)
_VGG16_REDUCTION = 32  # of each side, by five poolings
_VGG16_DENSE = 4096
_COLUMNS = {"total": "parameters", "multiply_adds": "multiply-adds"}


def parameters(claim: Claim, evidence: Evidence, network: str, column: str) -> Verdict:
    """Parameters counted on the built model, and which other count the printed number is."""
    counted = evidence.parameters[network][column]
    totals = {name: row["total"] for name, row in evidence.parameters.items() if name != network}
    near = [name for name, total in totals.items() if claim.readings(total)]
    holds = claim.readings(counted)
    text = "Counted on the built model."
    if near and not holds:
        text += f" {network_name(near[0])} has {totals[near[0]]:,}."
    return Verdict(FACT if holds else CONTRADICTED, f"{counted:,}", text)


def vgg16_size(side: int, classes: int) -> int:
    """Parameters of VGG16 for square color images: its convolutions and three dense layers."""
    total, channels = 0, 3
    for filters in _VGG16_FILTERS:
        total, channels = total + (9 * channels + 1) * filters, filters
    widths = [channels * (side // _VGG16_REDUCTION) ** 2, _VGG16_DENSE, _VGG16_DENSE, classes]
    return total + sum((a + 1) * b for a, b in itertools.pairwise(widths))


def size_of_another(
    claim: Claim, evidence: Evidence, source: str, classes: int, sides: list[int]
) -> Verdict:
    """Parameters of a VGG16 for that many classes at each input size, worked out.

    They are not those of the network of `source`, whose text would have to give them.
    """
    sizes = {side: vgg16_size(side, classes) for side in sides}
    found = ", ".join(f"{size / 1e6:.1f} million at {side} px" for side, size in sizes.items())
    imagenet = evidence.parameters["vgg16_imagenet"]["total"]
    text = (
        f"We have the abstract of {source} alone, and it gives no size. A VGG16 for {classes} "
        f"classes, worked out, has what is shown; {imagenet:,} are those for ImageNet's thousand."
    )
    return Verdict(NOT_TESTABLE, found, text)


def cheaper(
    claim: Claim, evidence: Evidence, network: str, than: str, column: str, smaller: str = ""
) -> Verdict:
    """Whether a count of `network` is less than that of another; `smaller` is said beside it."""
    ours, theirs = (evidence.parameters[name][column] for name in (network, than))
    text = f"{network_name(network)} {ours:,}, {network_name(than)} {theirs:,}."
    if smaller:
        text += f" But {network_name(smaller)} needs {evidence.parameters[smaller][column]:,}."
    found = f"{theirs / ours:.1f} times the {_COLUMNS[column]}"
    return Verdict(FACT if ours < theirs else CONTRADICTED, found, text)


def size_ratio(
    claim: Claim, evidence: Evidence, network: str, than: str, logarithm: bool = False
) -> Verdict:
    """How many times the parameters of `network` the other has; or that as a power of ten.

    The original's own numbers decide, and the counted ones where they say the same.
    """
    ours, theirs = (evidence.parameters[name]["total"] for name in (network, than))
    (row,) = (r for r in evidence.original["table_3"] if r["model"].startswith("VGG16"))
    printed = row["parameters"] / evidence.original["parameters_claimed"]
    ratios = [printed, theirs / ours]
    values = [math.log10(ratio) for ratio in ratios] if logarithm else ratios
    holds = all(claim.readings(value) for value in values)
    text = f"{printed:.1f} times by the original's own numbers, {ratios[1]:.1f} as counted."
    if not holds and min(values) > claim.value:
        text += " The model is smaller than the words say."
    return Verdict(CONSISTENT if holds else CONTRADICTED, f"{printed:.1f} times", text)


def sizes_between(
    claim: Claim, evidence: Evidence, networks: list[str], least: float, most: float
) -> Verdict:
    """Whether all of these networks have that many parameters; which ones are meant is not said."""
    totals = {name: evidence.parameters[name]["total"] for name in networks}
    holds = all(least <= total <= most for total in totals.values())
    found = " to ".join(f"{t / 1e6:.1f}" for t in (min(totals.values()), max(totals.values())))
    text = ", ".join(f"{network_name(name)} {total:,}" for name, total in totals.items()) + "."
    return Verdict(CONSISTENT if holds else CONTRADICTED, f"{found} million", text)


def own_input(claim: Claim, evidence: Evidence, network: str) -> Verdict:
    """Whether the printed size is the network's own: its multiply-adds there tell.

    The published network, with a head of its own, is counted at the size that it is built for.
    Heads aside, its multiply-adds are those of ours at the printed size only if the sizes agree.
    """
    whole, ours = (
        evidence.parameters[f"{network}_{kind}"] for kind in ("imagenet", f"{claim.printed:.0f}")
    )
    channels, classes = _head(whole["total"] - ours["total"])
    same = whole["multiply_adds"] - ours["multiply_adds"] == channels * classes
    text = (
        f"With its head for ImageNet the network takes {whole['multiply_adds']:,} multiply-adds at "
        f"its own input size; apart from the heads they {'are' if same else 'are not'} those of "
        f"the described model at {claim.printed:.0f} px."
    )
    return Verdict(FACT if same else CONTRADICTED, f"{claim.printed:.0f} px" if same else "", text)


CHECKS = (parameters, size_of_another, cheaper, size_ratio, sizes_between, own_input)


def _head(more: int) -> tuple[int, int]:
    """(channels, more classes) of a dense layer that has `more` parameters than that for seven."""
    classes = 1000 - 7
    return more // classes - 1, classes
