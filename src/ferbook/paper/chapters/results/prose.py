"""Numbers in the prose of the chapter Results."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from ferbook.claims.feasibility import possible_hits
from ferbook.claims.field import PRIVATE, Method, fraction
from ferbook.claims.published import FOLDER_TEST, TEST_SETS, Published
from ferbook.core.classes import CLASSES
from ferbook.data import ferplus
from ferbook.paper.key_numbers import mean, mean_by_class, percent, percent_right
from ferbook.results.label_issues import label_issues
from ferbook.results.metrics import accuracy, confused_pairs, confusion_rank, merged, score
from ferbook.results.run import Run
from ferbook.results.seeds import Difference, compared

# Pairs that the original names as often confused, or as dominant confusions.
_CONFUSED = (("sad", "neutral"), ("fear", "sad"), ("fear", "surprise"))


def audit_numbers(published: Published) -> dict[str, int | float]:
    """`original_hits_*`: right answers per class where the printed recalls leave one number.

    `audit_attainable_test`, `_private`: the share in percent of all accuracies with as many digits
    as the printed one that some number of right answers on all test images or on half yields.
    """
    hits = possible_hits(published, TEST_SETS[FOLDER_TEST])
    found = {f"original_hits_{name}": k[0] for name, k in hits.items() if len(k) == 1}
    for name, part in (("test", FOLDER_TEST), ("private", "PrivateTest")):
        images, unit = sum(TEST_SETS[part].values()), published.printed_to["accuracy"]
        printed = np.unique(np.round(np.arange(images + 1) / images / unit))
        found[f"audit_attainable_{name}"] = 100 * len(printed) / (1 + round(1 / unit))
    return found


def field_numbers(methods: Iterable[Method]) -> dict[str, int | float]:
    """`field_methods`, `_private`, `_on_test`, `_repeated`: accuracies, those on PrivateTest, those
    of a checkpoint chosen on their own images, those that others repeated; and in percent
    `field_one_view`, `field_several_views`, of one network, and the range over repetitions of
    another, `field_widest_low`, `field_widest_high`.
    """
    methods = list(methods)
    repeated = {m.model: [(r.how, 100 * fraction(r.accuracy)) for r in m.repeated] for m in methods}
    views = dict(repeated["ResMaskingNet"])
    widest = [percent for _, percent in repeated["ResEmoteNet"]]
    return {
        "field_methods": len(methods),
        "field_private": sum(method.images == PRIVATE for method in methods),
        "field_on_test": sum(method.on_test for method in methods),
        "field_repeated": sum(bool(found) for found in repeated.values()),
        "field_one_view": views["one view"],
        "field_several_views": views["several views"],
        "field_widest_low": min(widest),
        "field_widest_high": max(widest),
    }


def size_numbers(runs: Sequence[Run]) -> dict[str, int | float]:
    """`sizes_smallest_*`, `sizes_largest_*`: `px`, `seeds`, and their mean `accuracy` (%).

    `sizes_gain`: points from the smallest to the largest; `sizes_gain_error`: half of its 95%
    interval, of `seeds.compared`. Both are NaN of one size alone.
    """
    sides: dict[int, list[float]] = {}
    for run in runs:
        sides.setdefault(run.recipe.image_size, []).append(100 * accuracy(run.test))
    ends = {"smallest": min(sides), "largest": max(sides)}
    nothing = Difference(np.nan, np.nan, np.nan, alike=False)
    gain = compared(sides, ends["smallest"]).get(ends["largest"], nothing)
    values: dict[str, int | float] = {"sizes_gain": gain.mean, "sizes_gain_error": gain.error}
    for word, side in ends.items():
        values[f"sizes_{word}_px"] = side
        values[f"sizes_{word}_seeds"] = len(sides[side])
        values[f"sizes_{word}_accuracy"] = float(np.mean(sides[side]))
    return values


def finding_numbers(run: Run, original: Mapping[str, Any]) -> dict[str, Any]:
    """What stands out in the tables about `run`, on all test images, in percent.

    `reference_fallen_*`: the class whose recall lies furthest below the original's, and with `f1_`
    that whose F1, in [0, 1], does; the ranks of the pairs that the original names among all pairs
    of confused classes; how many answers agree with the labels and with the plurality of FER+'s
    taggers, where there is one; and accuracy where at most five of them agree (`_disputed`) or all
    ten (`_unanimous`), with `_like` given the class mix of all test images, with `_happy` the share
    of happy. NaN without such images.
    """
    second = ferplus.as_class(ferplus.pluralities(run.test.files))
    agrees = run.test.answers[second >= 0] == second[second >= 0]
    votes, pairs = ferplus.certainty(run.test.files), confused_pairs(run.test)
    found, reported = score(run.test)["classes"], original["table_2"]
    fallen, by_f1 = (_fallen(found, reported, measure) for measure in ("recall", "f1"))
    return {
        "reference_fallen_class": fallen,
        "reference_fallen_from": 100 * reported[fallen]["recall"],
        "reference_fallen_to": 100 * found[fallen]["recall"],
        "reference_fallen_f1_class": by_f1,
        "reference_fallen_f1_from": reported[by_f1]["f1"],
        "reference_fallen_f1_to": found[by_f1]["f1"],
        **{
            f"reference_confusion_rank_{a}_{b}": confusion_rank(pairs, a, b)[0]
            for a, b in _CONFUSED
        },
        "reference_confusion_pairs": len(pairs),
        "reference_agrees_labels": percent_right(run.test.select(second >= 0)),
        "reference_agrees_ferplus": 100 * float(agrees.mean()) if agrees.size else np.nan,
        **_by_agreement(run, {"disputed": (votes >= 1) & (votes <= 5), "unanimous": votes == 10}),
    }


def doubt_numbers(run: Run) -> dict[str, int | float]:
    """`reference_doubted*`, `_contradicted*`: labels of validation and test images, in doubt by
    confident learning, and other than what most of FER+'s taggers saw."""
    every = merged(run.val, run.test)
    issues = label_issues(every)
    known = issues[issues["ferplus"].notna()]
    second = ferplus.as_class(ferplus.pluralities(every.files))
    wrong, labels = (second != every.labels)[second >= 0], every.labels[second >= 0]
    doubted = np.bincount([CLASSES.index(name) for name in known["label"]], minlength=len(CLASSES))
    return {
        "reference_contradicted_percent": 100 * mean(wrong.tolist()),
        "reference_contradicted_like_percent": 100 * mean_by_class(wrong, labels, doubted),
        "reference_doubted": len(issues),
        "reference_doubted_known": len(known),
        "reference_doubted_confirmed_percent": percent((known["ferplus"] != known["label"]).mean()),
    }


def _by_agreement(run: Run, slices: Mapping[str, np.ndarray]) -> dict[str, float]:
    every = np.bincount(run.test.labels, minlength=len(CLASSES))
    values = {}
    for name, mask in slices.items():
        part = run.test.select(mask)
        right, happy = part.answers == part.labels, part.labels == CLASSES.index("happy")
        values[f"reference_accuracy_{name}"] = percent_right(part)
        values[f"reference_accuracy_{name}_like"] = 100 * mean_by_class(right, part.labels, every)
        values[f"reference_{name}_happy"] = 100 * mean(happy.tolist())
    return values


def _fallen(found: Mapping[str, Any], reported: Mapping[str, Any], measure: str) -> str:
    """The class that lies furthest below what was reported."""
    return min(CLASSES, key=lambda name: found[name][measure] - reported[name][measure])
