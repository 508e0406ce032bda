"""Numbers in the prose of the chapter Ablations."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from scipy.stats import t as student

from ferbook.core.classes import CLASSES
from ferbook.core.recipe import Recipe
from ferbook.paper.key_numbers import difference_error, mean, percent, run_numbers
from ferbook.results import names
from ferbook.results.metrics import accuracy, paired_test
from ferbook.results.run import Answers, Run, run_scores
from ferbook.results.seeds import at_scale, common_deviation, compared, seed_noise
from ferbook.results.study import Study, finals, largest_input, of_study, seeds_of

SCALES = (("efficientnet_lite0", 48), ("efficientnet_lite0", 96), ("efficientnet_lite2", 96))
"""Networks and input sizes (px) of which the book says how far seeds lie apart."""


def study_numbers(
    runs: Sequence[Run], dataset: Mapping[str, Any], original: Mapping[str, Any]
) -> dict[str, Any]:
    """`ours_*`: the run of our recipe; and what to set beside.

    `ours_gain` and `ours_no_ferplus_gain`: points by which the mean over seeds lies above
    `paper_mean`, the mean accuracy (%) of the `paper_seeds` runs of the original's recipe with the
    same network and input size; each with `_error`, half of its 95% interval, of `seeds.compared`;
    `ours_votes_gain` and `ours_longer_gain`: the same of our recipe with FER+ over that without,
    and of its longer version over itself;
    `ours_single_error`: the same of two recipes with one seed each;
    `ours_no_ferplus_mean_difference`: points by which that mean without FER+ lies above the
    original's accuracy, with `_error`, half of a 95% interval over seeds, the original's unknown
    ones included, and test images;
    `ours_no_ferplus_seeds`: over how many seeds that mean is, in words;
    `ours_no_ferplus_own_size_gain`: points by which that mean lies above the run of the original's
    recipe at the largest input, of one seed;
    `ours_mean_*`, `ours_no_ferplus_mean_*`: more means over seeds, in percent;
    """
    whole = finals(runs) or list(runs)
    ours = next((run for run in whole if run.study == "ours"), whole[-1])
    without = next((run for run in whole if run.recipe.name == "ours_no_ferplus"), ours)
    reference = [run for run in runs if run.study == "reference"]
    paper = at_scale(reference, ours.recipe.backbone, ours.recipe.image_size) or [ours]
    longer = next((run for run in whole if run.recipe.name == "ours_longer"), ours)
    recipes = {"paper": paper, "ours": seeds_of(ours, runs), "without": seeds_of(without, runs),
               "longer": seeds_of(longer, runs)}  # fmt: skip
    groups = {name: [100 * accuracy(run.test) for run in some] for name, some in recipes.items()}
    pairs = {"ours": ("ours", "paper"), "ours_no_ferplus": ("without", "paper"),
             "ours_votes": ("ours", "without"), "ours_longer": ("longer", "ours")}  # fmt: skip
    gains = {key: compared(groups, base)[name] for key, (name, base) in pairs.items()}
    deviation, freedom = common_deviation(groups)
    single = float(student.ppf(0.975, freedom)) * deviation
    seeds = single * (1 + 1 / len(groups["without"])) ** 0.5
    images = difference_error(original["accuracy"], len(without.test))
    return {
        "ours_no_ferplus_mean_difference": mean(groups["without"]) - 100 * original["accuracy"],
        "ours_no_ferplus_mean_difference_error": math.hypot(seeds, images),
        "original_accuracy": 100 * original["accuracy"],
        "original_finetune_learning_rate": names.small_number(Recipe().finetune_learning_rate),
        "original_finetune_epochs": Recipe().finetune_epochs,
        **{f"{key}_gain": gain.mean for key, gain in gains.items()},
        **{f"{key}_gain_error": gain.error for key, gain in gains.items()},
        "ours_no_ferplus_own_size_gain": mean(groups["without"])
        - 100 * accuracy(largest_input(reference or [ours]).test),
        **_means("ours", recipes["ours"], dataset),
        **_means("ours_no_ferplus", recipes["without"], dataset),
        "ours_no_ferplus_seeds": names.seed_words(len(recipes["without"])),
        "ours_single_error": single * 2**0.5,
        "paper_mean": mean(groups["paper"]),
        "paper_seeds": len(paper),
        "original_table_recall_disgust": 100 * original["table_2"]["disgust"]["recall"],
        "original_macro_recall": 100 * mean([original["table_2"][c]["recall"] for c in CLASSES]),
        **run_numbers(ours, dataset, original, prefix="ours"),
        "ours_parameters_millions": ours.info["parameters"]["total"] / 1e6,
        "ours_tta_accuracy": 100 * accuracy(ours.test.with_augmentation()),
    }


def _means(prefix: str, runs: Sequence[Run], dataset: Mapping[str, Any]) -> dict[str, float]:
    scores = [run_scores(run, dataset) for run in runs]
    values = {
        "macro_recall": [each["test"]["macro"]["recall"] for each in scores],
        "recall_disgust": [each["test"]["classes"]["disgust"]["recall"] for each in scores],
        "accuracy_leaked": [each["leaked"]["accuracy"] for each in scores if "leaked" in each],
    }
    return {f"{prefix}_mean_{key}": 100 * mean(each) for key, each in values.items()}


def seed_numbers(runs: Iterable[Run]) -> dict[str, float]:
    """`seed_noise_<backbone>_<px>`: `seeds.seed_noise` of each of SCALES."""
    runs = list(runs)
    return {f"seed_noise_{name}_{px}": seed_noise(at_scale(runs, name, px)) for name, px in SCALES}


def second_numbers(
    runs: Sequence[Run], dataset: Mapping[str, Any], original: Mapping[str, Any]
) -> dict[str, Any]:
    """`second_*`: the run of our second recipe; with `second_gain` in points and McNemar's
    `second_p` against our recipe without FER+.

    Where one of them is not there, the last run stands in.
    """
    named = {run.recipe.name: run for run in reversed(finals(runs) or list(runs))}
    stand_in = next(iter(named.values()))
    second, first = (named.get(name, stand_in) for name in ("ours_scratch", "ours_no_ferplus"))
    return {
        **run_numbers(second, dataset, original, prefix="second"),
        "second_parameters_millions": second.info["parameters"]["total"] / 1e6,
        "second_core_hours": second.core_hours,
        "second_gain": 100 * (accuracy(second.test) - accuracy(first.test)),
        "second_p": paired_test(first.test, second.test)["p_value"],
    }


def grid_numbers(plan: Study, runs: Iterable[Run]) -> dict[str, Any]:
    """`<study>_*`: the scale of a grid's base: px, learning rate, epochs of phase 2, seeds; and how
    many changes are `planned` and have at least one of `runs` (`run`)."""
    base, prefix = plan.base, plan.name
    found = {run.recipe.name for run in of_study(plan, runs)}
    return {
        f"{prefix}_image_size": base.image_size,
        f"{prefix}_rate": names.small_number(base.finetune_learning_rate),
        f"{prefix}_epochs": base.finetune_epochs,
        f"{prefix}_seeds": len({recipe.seed for recipe in plan.recipes.values()}),
        f"{prefix}_planned": len(plan.changes),
        f"{prefix}_run": len(found & plan.changes.keys()),
    }


def remedy_numbers(plan: Study) -> dict[str, Any]:
    """`remedies_*`: the settings of a grid of remedies that its rows do not name."""
    recipes = {recipe.name: recipe for recipe in plan.recipes.values()}
    return {
        "remedies_landmark_weight": recipes["landmarks"].landmark_loss_weight,
        "remedies_co_teaching_percent": 100 * recipes["co_teaching"].co_teaching_share,
        "remedies_retrained_epochs": recipes["retrained"].finetune_epochs,
    }


def scratch_numbers(plan: Study, trials: Iterable[Run]) -> dict[str, float]:
    """`scratch_vgg`, `_vgg16`, `_lite0`, `_b0`, `_b2`, `_b3`: the best validation accuracy (%).

    Without those that have a twin in training; NaN of a network that was not tried.
    """
    networks = {"vgg": "vgg_small", "vgg16": "vgg16_bn", "lite0": "efficientnet_lite0"} | {
        name: f"efficientnet_{name}" for name in ("b0", "b2", "b3")
    }
    done = of_study(plan, trials)
    return {
        f"scratch_{name}": percent(
            max((run.val_clean_accuracy for run in done if run.recipe.backbone == network),
                default=None)
        )
        for name, network in networks.items()
    }  # fmt: skip


def view_numbers(views: Mapping[str, Answers]) -> dict[str, float]:
    """`ten_crops_accuracy`: of the released run, or NaN."""
    crops = views.get("ten_crops")
    return {"ten_crops_accuracy": percent(accuracy(crops.test) if crops else None)}
