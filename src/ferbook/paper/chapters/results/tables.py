"""Tables of the chapter Results: runs on every reading of the test set."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from ferbook.core.classes import CLASSES
from ferbook.data import ferplus
from ferbook.data.duplicates import validation_twins
from ferbook.paper.table import Table, interval
from ferbook.results import names
from ferbook.results.metrics import (
    calibration,
    score,
    score_sets,
    with_temperature,
)
from ferbook.results.run import Run

SET_NAMES = {
    "val": "validation",
    "val_clean": "validation without twins in training",
    "test": "test (Public + Private)",
    "private": "PrivateTest",
    "clean": "test without copies",
    "leaked": "test copies only",
    "pristine": "test without copies and near copies",
}


def accuracy_table(run: Run, dataset: Mapping[str, Any]) -> Table:
    """Accuracy of a run on validation and on each reading of the test set."""
    leaked_files = frozenset(dataset["leaked_files"])
    near_leaked_files = dataset["near_duplicates"]["leaked_files"]
    twins = validation_twins(run.val.files, dataset["duplicate_groups"])
    scores = score_sets(run.val, run.test, leaked_files, twins)
    rest = ~np.isin(run.test.files, [*leaked_files, *near_leaked_files])
    if near_leaked_files:
        scores["pristine"] = score(run.test.select(rest))
    rows = {
        SET_NAMES[name]: (s["total"], s["correct"], s["accuracy"], interval(s), s["macro"]["f1"])
        for name, s in scores.items()
    }
    columns = ["images", "correct", "accuracy", "95 % interval", "macro F1"]
    frame = pd.DataFrame.from_dict(rows, "index", columns=columns).rename_axis("evaluated on")
    formats = {"images": ",d", "correct": ",d", "accuracy": ".2%", "macro F1": ".3f"}
    return Table(frame, f"Accuracy of {run.label}, Wilson intervals.", "tab-accuracy", formats)


def class_table(runs: Sequence[Run], original: Mapping[str, Any]) -> Table:
    """The original's Table II beside the same scores of our runs on all test images."""
    scores = [score(run.test) for run in runs]
    rows = {}
    for name in (*CLASSES, "overall"):
        ours = [s["classes"][name] if name in CLASSES else s["weighted"] for s in scores]
        cells = [original["table_2"][name], *ours]
        support = ours[0].get("support", scores[0]["total"])
        rows[name] = [c[key] for key in ("precision", "recall", "f1") for c in cells] + [support]
    who = [names.ORIGINAL, *(run.label for run in runs)]
    columns = [f"{key} {name}" for key in ("P", "R", "F1") for name in who]
    frame = pd.DataFrame.from_dict(rows, "index", columns=[*columns, "images"])
    caption = (
        "Precision P, recall R and F1 in the original's Table II and of our runs; the last row is "
        "weighted by class size."
    )
    formats = dict.fromkeys(columns, ".2f") | {"images": ",d"}
    return Table(frame.rename_axis("class"), caption, "tab-classes", formats)


def calibration_table(runs: Iterable[Run]) -> Table:
    """Calibration on all test images, as trained and with the temperature found on validation."""
    rows = {}
    for run in runs:
        for how, t in (("as trained", 1.0), ("temperature fitted", run.temperature)):
            part = with_temperature(run.test, t)
            found = calibration(part)
            facts = (t, found["ece"], found["mean_confidence"], score(part)["log_loss"])
            rows[f"{run.label}, {how}"] = facts
    columns = ["temperature", "ECE", "mean confidence", "log loss"]
    frame = pd.DataFrame.from_dict(rows, "index", columns=columns).rename_axis("probabilities")
    formats = dict.fromkeys(columns, ".3f") | {"ECE": ".2%", "mean confidence": ".1%"}
    caption = "Calibration on all test images; temperatures from validation, ECE with 15 bins."
    return Table(frame, caption, "tab-calibration", formats)


def second_truth_table(runs: Sequence[Run]) -> Table:
    """The runs against FER+ where it has a clear opinion on one of the seven classes."""
    rows = [_second_truth(run) for run in runs]
    frame = pd.DataFrame({_taught(run): row for run, row in zip(runs, rows, strict=True)})
    caption = "Answers against a second truth, the plurality of ten FER+ taggers, on test images."
    return Table(frame.rename_axis("on test images"), caption, "tab-second-truth")


def _taught(run: Run) -> str:
    """A run, and whether the second truth of other images was among what it learned."""
    learned = run.recipe.ferplus_loss_weight > 0
    return f"{run.label} (learned from FER+)" if learned else run.label


def _second_truth(run: Run) -> dict[str, str]:
    second = ferplus.as_class(ferplus.pluralities(run.test.files))
    known = second >= 0
    answers, labels = run.test.probabilities.argmax(axis=1), run.test.labels
    wrong = known & (answers != labels)
    rows = {
        "answers equal to the FER-2013 label": (known & (answers == labels), known),
        "answers equal to the FER+ label": (known & (answers == second), known),
        "errors by FER-2013 that FER+ calls right": (wrong & (answers == second), wrong),
        "errors by FER-2013 that FER+ calls errors too": (wrong & (labels == second), wrong),
    }
    counts = {name: (int(part.sum()), int(of.sum())) for name, (part, of) in rows.items()}
    return {name: f"{n:,} of {of:,} ({n / max(of, 1):.1%})" for name, (n, of) in counts.items()}


def slice_table(runs: Sequence[Run], images: pd.DataFrame) -> Table:
    """Accuracy on quarters of the test images by brightness, sharpness and tagger agreement.

    `images` holds `brightness` and `sharpness` by file; see audit.describe_images.
    """
    masks = _slices(images.loc[runs[0].test.files], runs[0].test.files)
    rows = {}
    for name, mask in masks.items():
        scores = [score(run.test.select(mask)) for run in runs]
        rows[name] = (int(mask.sum()), *(f"{s['accuracy']:.2%} ({interval(s)})" for s in scores))
    columns = ["images", *(run.label for run in runs)]
    frame = pd.DataFrame.from_dict(rows, "index", columns=columns)
    caption = (
        "Accuracy, with its interval, on slices of the test images that need no personal label."
    )
    return Table(frame.rename_axis("slice"), caption, "tab-slices", {"images": ",d"})


def _slices(images: pd.DataFrame, files: np.ndarray) -> dict[str, np.ndarray]:
    """Name -> mask (n,) of each slice that is not empty."""
    measures = images.reset_index(drop=True)
    votes = pd.Series(ferplus.certainty(files))
    slices = {}
    for name in ("brightness", "sharpness"):
        quarters = pd.qcut(measures[name].rank(method="first"), 4, labels=False)
        for quarter, word in enumerate(("lowest", "second", "third", "highest")):
            slices[f"{name}, {word} quarter"] = quarters == quarter
    for low, high in ((1, 5), (6, 7), (8, 9), (10, 10)):
        span = f"{low} to {high}" if low < high else str(low)
        slices[f"{span} of ten taggers agree"] = votes.between(low, high)
    return {name: mask.to_numpy() for name, mask in slices.items() if mask.any()}


def issue_table(run: Run) -> Table:
    """Labels that confident learning doubts, by class, and how many FER+ confirms."""
    issues, labels = run.label_issues, np.concatenate([run.val.labels, run.test.labels])
    counts = np.bincount(labels, minlength=len(CLASSES))
    rows = {}
    for name, total in zip(CLASSES, counts, strict=True):
        part = issues[issues["label"] == name]
        known = part[part["ferplus"].notna()]
        against = (known["ferplus"] != name).sum()
        agreed = (known["ferplus"] == known["suggested"]).sum()
        rows[name] = (total, len(part), len(known), against, agreed)
    columns = ["images", "doubted", "FER+ is clear", "FER+ says another", "FER+ says the same"]
    frame = pd.DataFrame.from_dict(rows, "index", columns=columns)
    frame.loc["all"] = frame.sum()
    caption = (
        "Labels of validation and test images that confident learning doubts; of those with a "
        "clear opinion in FER+, how many FER+ gives another label, and how many the very label "
        "that the model suggests."
    )
    formats = dict.fromkeys(columns, ",d")
    return Table(frame.rename_axis("label"), caption, "tab-issues", formats)
