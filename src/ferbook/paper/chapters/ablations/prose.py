"""Numbers in the prose of the chapter Ablations."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ferbook.paper.key_numbers import mean, percent, run_numbers
from ferbook.results.metrics import accuracy, named_test_sets, score
from ferbook.results.run import Answers, Run
from ferbook.results.study import Study, finals, gains, of_study, paired


def study_numbers(
    runs: Sequence[Run], plan: Study, dataset: Mapping[str, Any], original: Mapping[str, Any]
) -> dict[str, Any]:
    """`ours_*`: the run of our recipe; `grid_*`: the base of the grid; and what to set beside."""
    base = [run for run in of_study(plan, runs) if run.recipe.name == "base"]
    whole = finals(runs) or list(runs)
    ours = next((run for run in whole if run.study == "ours"), whole[-1])
    reference = next((run for run in whole if run.study == "reference"), ours)
    recipe = next(iter(plan.recipes.values()))
    return {
        "data_n_test": dataset["splits"]["test"],
        "original_accuracy": 100 * original["accuracy"],
        "grid_image_size": recipe.image_size,
        "grid_train_images": recipe.train_images,
        "grid_base_accuracy": percent(accuracy(base[0].test) if base else None),
        **gain_numbers(plan, runs, "grid"),
        "ours_gain": 100 * (accuracy(ours.test) - accuracy(reference.test)),
        **_ours_numbers(ours, dataset, original),
    }


def gain_numbers(plan: Study, runs: Iterable[Run], prefix: str) -> dict[str, float]:
    """`<prefix>_gain_*`: points on test of each change of the base, mean over seeds, or NaN."""
    grid = of_study(plan, runs)
    pairs = {name: paired(grid, "base", name) for name in plan.changes}
    return {f"{prefix}_gain_{name}": mean(gains(found)) for name, found in pairs.items()}


def copies_numbers(
    plan: Study, runs: Iterable[Run], leaked_files: frozenset[str]
) -> dict[str, float]:
    """`copies_*`: points that the copies among the training images are worth, mean over seeds.

    `copies_gain_<set>` for the test images with a copy ("leaked"), without ("clean"), and all.
    """
    pairs = paired(of_study(plan, runs), "distinct", "base")
    sets = [[named_test_sets(run.test, leaked_files) for run in pair] for pair in pairs]
    return {
        f"copies_gain_{part}": mean(
            [100 * (accuracy(base[part]) - accuracy(distinct[part])) for distinct, base in sets]
        )
        for part in ("test", "clean", "leaked")
    }


def view_numbers(views: Mapping[str, Answers]) -> dict[str, float]:
    """`ten_crops_accuracy`: of the released run, or NaN."""
    crops = views.get("ten_crops")
    return {"ten_crops_accuracy": percent(accuracy(crops.test) if crops else None)}


def scratch_numbers(plan: Study) -> dict[str, int]:
    """`scratch_*`: the budget of the architectures that start from random weights."""
    recipe = next(iter(plan.recipes.values()))
    return {"scratch_epochs": recipe.finetune_epochs, "scratch_images": recipe.train_images}


def _ours_numbers(
    run: Run, dataset: Mapping[str, Any], original: Mapping[str, Any]
) -> dict[str, Any]:
    averaged = score(run.test.with_augmentation())
    return {
        **run_numbers(run, dataset, original, prefix="ours"),
        "ours_parameters_millions": run.info["parameters"]["total"] / 1e6,
        "ours_tta_accuracy": 100 * averaged["accuracy"],
        "ours_tta_correct": averaged["correct"],
    }
