"""Tables of the chapter Results: runs on every reading of the test set."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from ferbook.core.classes import CLASSES
from ferbook.data import ferplus
from ferbook.paper.table import Table, interval
from ferbook.results import names
from ferbook.results.label_issues import label_issues
from ferbook.results.metrics import merged, score, sets_by_copy
from ferbook.results.run import Run, run_scores

SET_NAMES = {
    "val": "validation",
    "val_clean": "validation without copies in training",
    "test": "test (Public + Private)",
    "private": "PrivateTest",
    "clean": "test without copies",
    "leaked": "test copies only",
    "neither": "test without copies and near duplicates",
}


def accuracy_table(run: Run, dataset: Mapping[str, Any]) -> Table:
    """Accuracy of a run on validation and on each reading of the test set."""
    scores = run_scores(run, dataset)
    if dataset["near_duplicates"]["leaked_files"]:
        scores["neither"] = score(sets_by_copy(run.test, dataset)["neither"])
    rows = {
        SET_NAMES[name]: (s["total"], s["correct"], s["accuracy"], interval(s), s["macro"]["f1"])
        for name, s in scores.items()
    }
    columns = ["images", "correct", "accuracy", "95% interval", "macro F1"]
    frame = pd.DataFrame.from_dict(rows, "index", columns=columns).rename_axis("evaluated on")
    formats = {"images": ",d", "correct": ",d", "accuracy": ".2%", "macro F1": ".3f"}
    return Table(
        frame, f"Accuracy of the run “{run.label}”, with Wilson intervals.", "tab-accuracy", formats
    )


def class_table(runs: Sequence[Run], original: Mapping[str, Any]) -> Table:
    """The original's Table II beside the same scores of our runs on all test images."""
    scores = [score(run.test) for run in runs]
    who = [names.ORIGINAL, *(run.label for run in runs)]
    rows = []
    for name in (*CLASSES, "overall"):
        ours = [s["classes"][name] if name in CLASSES else s["weighted"] for s in scores]
        images = ours[0].get("support", scores[0]["total"])
        for key, word in (("precision", "precision"), ("recall", "recall"), ("f1", "F1")):
            cells = [c[key] for c in (original["table_2"][name], *ours)]
            rows.append([name, images, word, *cells])
    frame = pd.DataFrame(rows, columns=["class", "images", "score", *who]).set_index("class")
    caption = (
        "Precision, recall and F1 in the original's Table II and of our runs, the first seed of "
        "each recipe; the last three rows are weighted by class size. Recipes named with FER+ "
        "learned from other labels as well."
    )
    formats = dict.fromkeys(who, ".2f") | {"images": ",d"}
    return Table(frame, caption, "tab-classes", formats)


def second_truth_table(runs: Sequence[Run]) -> Table:
    """The runs against FER+ where one of the seven classes has most of its votes."""
    rows = [_second_truth(run) for run in runs]
    frame = pd.DataFrame({_taught(run): row for run, row in zip(runs, rows, strict=True)})
    caption = (
        "Answers on the test images for which one of the seven classes has most votes, against "
        "this plurality of ten FER+ taggers; first seed of each recipe."
    )
    return Table(frame.rename_axis("on test images"), caption, "tab-second-truth")


def _taught(run: Run) -> str:
    """A run, and whether the second truth of other images was among what it learned."""
    learned = run.recipe.ferplus_loss_weight > 0
    return f"{run.label} (learned from FER+)" if learned else run.label


def _second_truth(run: Run) -> dict[str, str]:
    second = ferplus.as_class(ferplus.pluralities(run.test.files))
    known = second >= 0
    answers, labels = run.test.answers, run.test.labels
    wrong = known & (answers != labels)
    rows = {
        "answers equal to the FER-2013 label": (known & (answers == labels), known),
        "answers equal to the FER+ label": (known & (answers == second), known),
        "wrong by FER-2013, right by FER+": (wrong & (answers == second), wrong),
        "wrong by FER-2013, and FER+ has the same label": (wrong & (labels == second), wrong),
    }
    counts = {name: (int(part.sum()), int(of.sum())) for name, (part, of) in rows.items()}
    return {name: f"{n:,} of {of:,} ({n / max(of, 1):.1%})" for name, (n, of) in counts.items()}


def issue_table(run: Run) -> Table:
    """Labels that confident learning doubts, by class, and how many FER+ confirms."""
    every = merged(run.val, run.test)
    issues, counts = label_issues(every), np.bincount(every.labels, minlength=len(CLASSES))
    rows = {}
    for name, total in zip(CLASSES, counts, strict=True):
        part = issues[issues["label"] == name]
        known = part[part["ferplus"].notna()]
        against = (known["ferplus"] != name).sum()
        agreed = (known["ferplus"] == known["suggested"]).sum()
        rows[name] = (total, len(part), len(known), against, agreed)
    columns = ["images", "doubted", "FER+ has a plurality", "for another label",
               "for the suggested one"]  # fmt: skip
    frame = pd.DataFrame.from_dict(rows, "index", columns=columns)
    frame.loc["all"] = frame.sum()
    caption = (
        "Labels of validation and test images that confident learning doubts by the run of the "
        "original's recipe at the largest input; for how many of "
        "them one label has most votes in FER+, for how many that is another label than "
        "FER-2013's, and for how many the one that the model suggests."
    )
    formats = dict.fromkeys(columns, ",d")
    return Table(frame.rename_axis("label"), caption, "tab-issues", formats)
