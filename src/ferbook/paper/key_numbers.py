"""Numbers that the prose of several chapters shows, by the key under which they are glued.

Values are plain Python: percentages and points as floats (68.78 for 68.78 %), counts as int.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ferbook.core.classes import CLASSES
from ferbook.core.predictions import Predictions
from ferbook.core.recipe import Recipe
from ferbook.data import ferplus
from ferbook.results import names
from ferbook.results.metrics import (
    accuracy,
    accuracy_interval,
    calibration,
    with_temperature,
)
from ferbook.results.names import hardware_name
from ferbook.results.run import Run, run_scores


def dataset_numbers(dataset: Mapping[str, Any]) -> dict[str, int | float]:
    """`data_*`: what is in `dataset.json`."""
    splits, usages = dataset["splits"], dataset["usages"]
    duplicates, leaked = dataset["duplicates"], len(dataset["leaked_files"])
    return {
        "data_n_images": dataset["images"],
        "data_n_official_train": usages["Training"],
        "data_n_train": splits["train"],
        "data_n_val": splits["val"],
        "data_n_test": splits["test"],
        "data_n_private": usages["PrivateTest"],
        "data_n_public": usages["PublicTest"],
        "data_n_leaked": leaked,
        "data_n_clean": splits["test"] - leaked,
        "data_leaked_percent": 100 * leaked / splits["test"],
        "data_duplicate_groups": duplicates["groups"],
        "data_duplicate_images": duplicates["images"],
        "data_surplus_copies": duplicates["surplus"],
        "data_conflicting_groups": duplicates["conflicting_groups"],
        "data_constant_images": len(dataset["constant_files"]),
        **_near_duplicate_numbers(dataset, splits["test"] - leaked),
        **_ferplus_numbers(dataset["ferplus"]),
    }


def _near_duplicate_numbers(dataset: Mapping[str, Any], clean: int) -> dict[str, int | float]:
    near = dataset["near_duplicates"]
    return {
        "data_near_pairs": near["pairs"],
        "data_near_mirrored": near["mirrored"],
        "data_near_same_label_percent": percent(near["same_label"]),
        "data_near_leaked": len(near["leaked_files"]),
        "data_n_pristine": clean - len(near["leaked_files"]),
    }


def _ferplus_numbers(second: Mapping[str, Any]) -> dict[str, int | float]:
    return {
        "data_ferplus_known": second["known"],
        "data_ferplus_untied": second["untied"],
        "data_ferplus_agreement": percent(second["agreement"]),
        "data_ferplus_no_face": len(second["no_face_files"]),
        "data_ferplus_unnamed": ferplus.UNNAMED,
        **{f"data_ferplus_agreement_{k}": percent(v) for k, v in second["by_class"].items()},
    }


def original_numbers(original: Mapping[str, Any], dataset: Mapping[str, Any]) -> dict[str, Any]:
    """`original_*`: what the original paper reports, and its interval on our test images.

    `original_difference_error`, `_private`: half of the 95% interval, in points, of the difference
    of two such accuracies on all test images or on PrivateTest, each of one network.
    """
    total = dataset["splits"]["test"]
    correct = round(original["accuracy"] * total)
    low, high = accuracy_interval(correct, total)
    private = dataset["usages"]["PrivateTest"]
    table, recipe = original["table_2"], Recipe()
    return {
        "original_finetune_epochs": recipe.finetune_epochs,
        "original_finetune_learning_rate": names.small_number(recipe.finetune_learning_rate),
        "original_image_size": recipe.image_size,
        "original_accuracy": 100 * original["accuracy"],
        "original_correct": correct,
        "original_accuracy_low": 100 * low,
        "original_accuracy_high": 100 * high,
        "original_difference_error": difference_error(original["accuracy"], total),
        "original_difference_error_private": difference_error(original["accuracy"], private),
        **claimed_parameters(original),
        "original_macro_f1": sum(table[name]["f1"] for name in CLASSES) / len(CLASSES),
    }


def difference_error(accuracy: float, images: int) -> float:
    """Half of the 95% interval, in points, of the difference of two independent accuracies."""
    return 196 * (2 * accuracy * (1 - accuracy) / images) ** 0.5 if images else float("nan")


def claimed_parameters(original: Mapping[str, Any]) -> dict[str, float]:
    """`original_parameters_millions`: what the original says its model has."""
    return {"original_parameters_millions": original["parameters_claimed"] / 1e6}


def parameter_numbers(parameters: Mapping[str, Mapping[str, int]]) -> dict[str, int]:
    """`paper_model_*`: counted on the built model."""
    paper = parameters[Recipe.backbone]
    return {
        "paper_model_parameters": paper["total"],
        "paper_model_trainable": paper["trainable"],
    }


def run_numbers(
    run: Run,
    dataset: Mapping[str, Any],
    original: Mapping[str, Any],
    *,
    prefix: str = "reference",
) -> dict[str, Any]:
    """`<prefix>_*`: everything that prose says about one run."""
    scores = run_scores(run, dataset)
    test = scores["test"]
    values = {
        f"{key}_{name}": 100 * part[key]
        for name, part in scores.items()
        for key in ("accuracy", "accuracy_low", "accuracy_high")
    }
    values |= {f"recall_{name}": 100 * test["classes"][name]["recall"] for name in CLASSES}
    values |= {
        "correct": test["correct"],
        "difference": 100 * (test["accuracy"] - original["accuracy"]),
        "macro_f1": test["macro"]["f1"],
    }
    values |= _calibration_numbers(run)
    named = {f"{prefix}_{key}": value for key, value in values.items()}
    return named | training_numbers(run, prefix=prefix)


def training_numbers(run: Run, *, prefix: str) -> dict[str, Any]:
    """`<prefix>_*`: how a run was trained, and its accuracy on the way, in percent."""
    info, history = run.info, run.history
    best = int(history["val_accuracy"].argmax())
    values = {
        "label": run.label,
        "backbone": names.network_name(info["backbone"]),
        "image_size": info["image_size"],
        "seed": info["seed"],
        "epochs": len(history),
        "best_epoch": best + 1,
        "train_accuracy_last": 100 * float(history["accuracy"].iloc[-1]),
        "val_accuracy_best": 100 * float(history["val_accuracy"].iloc[best]),
        "val_clean_accuracy": 100 * run.val_clean_accuracy,
        "val_accuracy_last": 100 * float(history["val_accuracy"].iloc[-1]),
        "hours": info["seconds"] / 3600,
        "parameters": info["parameters"]["total"],
        "hardware": hardware_name(info),
    }
    return {f"{prefix}_{key}": value for key, value in values.items()}


def _calibration_numbers(run: Run) -> dict[str, float]:
    temperature = run.temperature
    return {
        "ece": 100 * calibration(run.test)["ece"],
        "temperature": temperature,
        "ece_fitted": 100 * calibration(with_temperature(run.test, temperature))["ece"],
    }


def mean_by_class(values: np.ndarray, labels: np.ndarray, weights: np.ndarray) -> float:
    """The mean over classes of each class's mean, weighted: `values` (n) as if their `labels` (n)
    were mixed as `weights`, a number for each class. NaN where no class has both.
    """
    counts = np.bincount(labels, minlength=len(weights))
    known = (counts > 0) & (np.asarray(weights) > 0)
    if not known.any():
        return float("nan")
    means = np.bincount(labels, values, minlength=len(weights))[known] / counts[known]
    return float(np.average(means, weights=np.asarray(weights)[known]))


def mean(values: Sequence[float]) -> float:
    """The mean, or NaN of nothing."""
    return sum(values) / len(values) if values else float("nan")


def percent_right(part: Predictions) -> float:
    """The accuracy in percent; NaN of no images."""
    return 100 * accuracy(part) if len(part) else float("nan")


def percent(fraction: float | None) -> float:
    """A fraction in percent; NaN for None."""
    return float("nan") if fraction is None else 100 * float(fraction)
