"""Figures of the chapter Results."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from ferbook.core.classes import CLASSES
from ferbook.paper.plots import COLORS, class_bars, finished, heatmap
from ferbook.results import names
from ferbook.results.metrics import (
    accuracy_interval,
    calibration,
    confusion_matrix,
    with_temperature,
)
from ferbook.results.run import Run


def confusion(run: Run, *, normalised: bool) -> Figure:
    """Confusion matrix on all test images: counts, or fractions of each true class."""
    matrix = confusion_matrix(run.test)
    shown = matrix / np.maximum(matrix.sum(axis=1, keepdims=True), 1) if normalised else matrix
    figure, axes = heatmap(shown, CLASSES, ".2f" if normalised else "d", (6.5, 5.5))
    axes.set(xlabel="predicted", ylabel="true", title=run.label)
    return finished(figure)


def reliability(run: Run) -> Figure:
    """Accuracy against confidence on all test images, as trained and with a fitted temperature."""
    figure, axes = plt.subplots(figsize=(5.5, 5))
    axes.plot([0, 1], [0, 1], color="grey", linewidth=1, label="perfect")
    for name, temperature, line in (
        ("as trained", 1.0, "--"),
        ("temperature fitted", run.temperature, "-"),
    ):
        rows = calibration(with_temperature(run.test, temperature))["rows"]
        sizes, confidence, accuracy = zip(*rows, strict=True)
        axes.plot(confidence, accuracy, line, color=COLORS[run.actor], label=name)
        axes.scatter(confidence, accuracy, s=np.sqrt(sizes) * 3, color=COLORS[run.actor])
    axes.set(xlabel="confidence", ylabel="accuracy", title=run.label, xlim=(0, 1), ylim=(0, 1))
    axes.legend()
    return finished(figure)


def recalls(runs: Sequence[Run], original: Mapping[str, Any]) -> Figure:
    """Recall by class on all test images with Wilson intervals, the original's beside the runs'.

    The original's intervals are those of its printed recalls on as many images.
    """
    matrices = [confusion_matrix(run.test) for run in runs]
    totals = np.maximum(matrices[0].sum(axis=1), 1)
    printed = [original["table_2"][name]["recall"] for name in CLASSES]
    hits = [np.rint(printed * totals), *(matrix.diagonal() for matrix in matrices)]
    labels = [names.ORIGINAL, *(run.label for run in runs)]
    shares = [printed, *(part / totals for part in hits[1:])]
    frame = pd.DataFrame(dict(zip(labels, shares, strict=True)), index=list(CLASSES))
    bounds = [
        [accuracy_interval(int(k), int(n)) for k, n in zip(part, totals, strict=True)]
        for part in hits
    ]
    colors = [COLORS[names.ORIGINAL], *(COLORS[run.actor] for run in runs)]
    figure = class_bars(frame, "recall", colors, bounds)
    figure.axes[0].set_ylim(0, 1)
    figure.axes[0].legend(loc="lower center", bbox_to_anchor=(0.5, 1), ncols=3, frameon=False)
    return finished(figure)
