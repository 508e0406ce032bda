"""Numbers in the prose of the chapter The leak."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from ferbook.core.classes import CLASSES
from ferbook.core.predictions import Predictions
from ferbook.paper.key_numbers import mean, mean_by_class, percent_right
from ferbook.results.metrics import (
    accuracy,
    accuracy_interval,
    named_test_sets,
    sets_by_copy,
)
from ferbook.results.run import Run
from ferbook.results.seeds import compared
from ferbook.results.study import Study, finals, of_study, paired

RECIPES = ("base", "distinct", "fewer", "alike")
# What is less what: all training images, none with a copy, as many drawn at random, as many of
# each class.
COMPARISONS = {
    "gain": ("base", "distinct"),
    "alone": ("alike", "distinct"),
    "drawn": ("fewer", "distinct"),
    "count": ("base", "fewer"),
}
PARTS = {
    "leaked": "with a copy",
    "near": "with a near duplicate",
    "neither": "neither",
    "test": "all",
}
"""Test images by what they have in the training folder, and how a table calls them."""


def twin_numbers(dataset: Mapping[str, Any]) -> dict[str, int | float]:
    """`data_*`: validation and test images with a pixel-identical image among those that train."""
    twins, val = dataset["twins"], dataset["splits"]["val"]
    return {
        "data_n_val_twins": twins["val"],
        "data_val_twins_percent": 100 * twins["val"] / val,
        "data_n_val_clean": val - twins["val"],
        "data_n_val_near": twins["val_near"],
        "data_n_leaked_train": twins["leaked_train"],
        "data_n_leaked_val_only": len(dataset["leaked_files"]) - twins["leaked_train"],
    }


def seen_numbers(seen: Mapping[str, Any], dataset: Mapping[str, Any]) -> dict[str, int | float]:
    """`data_near_*`: what we saw of near duplicates, by `book/near_pairs.yml`.

    `seen` pairs that are not mirrored were looked at, `same` of them are one photograph, by Wilson
    `same_low` to `same_high` percent of all; so are `mirrored_same` of the mirrored ones.
    """
    drawn, others = seen["drawn"], len(seen["others"])
    low, high = accuracy_interval(drawn - others, drawn)
    return {
        "data_near_seen": drawn,
        "data_near_same": drawn - others,
        "data_near_same_low": 100 * low,
        "data_near_same_high": 100 * high,
        "data_near_mirrored_same": dataset["near_duplicates"]["mirrored"] - len(seen["mirrored"]),
    }


def copies_numbers(
    plan: Study, runs: Iterable[Run], dataset: Mapping[str, Any]
) -> dict[str, float | str]:
    """`copies_*`: points that the copies among the training images are worth, mean over seeds.

    Seeds that were trained in one way and not in another are left out.

    `copies_<comparison>_<set>` for the test images with a pixel-identical copy ("leaked"), without
    ("clean"; of these those with a near duplicate, "near", and with neither, "neither"), and all
    ("test"), and for the gap between the first two ("gap", "gap_like"); each with `_error`, half of
    Student's 95% interval over seeds, and `_seeds`, the same of each seed, in words. The comparison
    is one of COMPARISONS: "gain", all training images against those without copies; "alone" and
    "drawn", as many images of each class, or of all, drawn at random against those without copies;
    "count", all against so many. `copies_<comparison>_<set>_both`: half of the interval over seeds
    and test images.
    `copies_part_leaked`: the points of "alone" on all test images that those with a copy
    contribute;
    `copies_gap_with`, `_without`: by how many points accuracy on the images with a copy is higher
    than on the others, after training with the copies and without; `copies_gap_finals`: the same
    of the runs that trained a complete recipe, from the lowest to the highest, in words; each also
    with `_like`, as if both kinds of images had the classes of the whole test set;
    `copies_surprise_leaked`, `_clean`: the share of surprise among the two kinds, in percent;
    `copies_removed`: training images that the smaller training lacks, of each seed, in words; of
    the first seed `_test`, `_val` and `_train`, with a copy in the test images, else in validation,
    else among themselves, and `_surprise`, the share of surprise in percent;
    `copies_seeds`: how many seeds were trained in both ways; `copies_image_size` (px) and
    `copies_epochs`: the scale.
    """
    runs, leaked_files = list(runs), frozenset(dataset["leaked_files"])
    grid = _of_shared_seeds(run for run in of_study(plan, runs) if run.recipe.name in RECIPES)
    pairs = paired(grid, "distinct", "base")
    sets = {
        name: {
            run.recipe.seed: sets_by_copy(run.test, dataset)
            for run in grid if run.recipe.name == name
        }
        for name in RECIPES
    }  # fmt: skip
    found = {
        key: value
        for part, measure in _MEASURES.items()
        for key, value in _comparisons(
            part, {name: {seed: measure(s) for seed, s in of.items()} for name, of in sets.items()}
        )
    }
    complete = [named_test_sets(run.test, leaked_files) for run in finals(runs)]
    without, having = (list(sets[name].values()) for name in ("distinct", "base"))
    shares = [len(parts["leaked"]) / len(parts["test"]) for parts in having]
    removed = (f"{b.training_images - d.training_images:,}" for d, b in pairs)
    return found | {
        "copies_part_leaked": found["copies_alone_leaked"] * mean(shares),
        **{
            f"copies_gap_{name}{suffix}": write([gap(parts) for parts in some])
            for suffix, gap in (("", _gap), ("_like", _gap_of_like_classes))
            for name, some, write in [
                ("without", without, mean),
                ("with", having, mean),
                ("finals", complete or having, _span),
            ]
        },
        **{f"copies_surprise_{part}": _surprise(having, part) for part in ("leaked", "clean")},
        **_sampled(sets, found),
        "copies_removed": ", ".join(removed),
        **_removed(pairs[0][1] if pairs else None, dataset["duplicate_groups"]),
        "copies_seeds": len(pairs),
        "copies_image_size": plan.base.image_size,
        "copies_epochs": plan.base.finetune_epochs,
    }


def _sampled(
    sets: Mapping[str, Mapping[int, Mapping[str, Predictions]]], found: Mapping[str, Any]
) -> dict[str, float]:
    """`copies_<comparison>_<set>_both`: the root of the sum of squares of two halves of a 95%
    interval, that over seeds and that of the mean difference over the test images.
    """
    values = {}
    for comparison, names in COMPARISONS.items():
        for part in PARTS:
            ways = [_share_right(sets[name].values(), part) for name in names if sets[name]]
            gains = 100 * (ways[0] - ways[1]) if len(ways) == 2 else np.array([])
            images = 1.96 * gains.std() / gains.size**0.5 if gains.size else math.nan
            key = f"copies_{comparison}_{part}"
            values[f"{key}_both"] = math.hypot(images, found[f"{key}_error"])
    return values


def _share_right(seeds: Iterable[Mapping[str, Predictions]], part: str) -> np.ndarray:
    """Of the seeds, those that are right on each image."""
    return np.mean([sets[part].answers == sets[part].labels for sets in seeds], axis=0)


def _removed(base: Run | None, groups: Iterable[Sequence[str]]) -> dict[str, float]:
    """Which images a training without copies lacks, by the validation images of `base`."""
    val = frozenset(base.val.files.tolist()) if base else frozenset()
    lost: dict[str, list[str]] = {"test": [], "val": [], "train": []}
    for group in groups if base else ():
        train = [file for file in group if file.startswith("train/") and file not in val]
        if any(file.startswith("test/") for file in group):
            lost["test"] += train
        elif val.intersection(group):
            lost["val"] += train
        else:
            lost["train"] += train[1:]
    names = [file.split("/")[1] for files in lost.values() for file in files]
    return {
        **{f"copies_removed_{kind}": len(files) for kind, files in lost.items()},
        "copies_removed_surprise": 100 * mean([name == "surprise" for name in names]),
    }


def _of_shared_seeds(runs: Iterable[Run]) -> list[Run]:
    """Those whose seed every recipe has."""
    runs = list(runs)
    seeds: dict[str, set[int]] = {}
    for run in runs:
        seeds.setdefault(run.recipe.name, set()).add(run.recipe.seed)
    return [run for run in runs if all(run.recipe.seed in some for some in seeds.values())]


def _comparisons(
    part: str, points: Mapping[str, Mapping[int, float]]
) -> Iterator[tuple[str, float | str]]:
    """`copies_<comparison>_<part>*` of each recipe's points by seed."""
    groups = {name: list(by_seed.values()) for name, by_seed in points.items() if by_seed}
    for comparison, (more, less) in COMPARISONS.items():
        key, both = f"copies_{comparison}_{part}", {more, less} <= groups.keys()
        found = compared(groups, less)[more] if both else None
        seeds = sorted(points[more].keys() & points[less].keys())
        gains = (points[more][seed] - points[less][seed] for seed in seeds)
        yield key, found.mean if found else math.nan
        yield f"{key}_error", found.error if found else math.nan
        yield f"{key}_seeds", ", ".join(f"{gain:.1f}" for gain in gains)


def _gap(parts: Mapping[str, Predictions]) -> float:
    """Points by which accuracy is higher on the images with a copy than on the others."""
    return 100 * (accuracy(parts["leaked"]) - accuracy(parts["clean"]))


def _gap_of_like_classes(parts: Mapping[str, Predictions]) -> float:
    """`_gap`, the mean over classes weighted by their images in the whole test set.

    Classes that one of the two kinds lacks are left out.
    """
    sides = [parts[part] for part in ("leaked", "clean")]
    images, *counts = (
        np.bincount(one.labels, minlength=len(CLASSES)) for one in (parts["test"], *sides)
    )
    known = images * np.all(counts, axis=0)
    leaked, clean = (mean_by_class(one.answers == one.labels, one.labels, known) for one in sides)
    return 100 * (leaked - clean)


_MEASURES = {
    **{
        name: lambda parts, name=name: percent_right(parts[name])
        for name in ("test", "clean", "leaked", "near", "neither")
    },
    "gap": _gap,
    "gap_like": _gap_of_like_classes,
}


def _span(gaps: Sequence[float]) -> str:
    return f"{min(gaps):.0f} to {max(gaps):.0f}" if gaps else ""


def _surprise(sets: Sequence[Mapping[str, Predictions]], part: str) -> float:
    """The share of surprise among the images of a part, in percent; NaN without any."""
    label = CLASSES.index("surprise")
    return 100 * mean([float((parts[part].labels == label).mean()) for parts in sets])
