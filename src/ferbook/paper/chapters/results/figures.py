"""Figures of the chapter Results."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from ferbook.core.classes import CLASSES
from ferbook.paper.plots import class_bars, finished, heatmap
from ferbook.results.metrics import calibration, confusion_matrix, with_temperature
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
    for name, temperature in (
        ("as trained", 1.0),
        ("temperature fitted", run.temperature),
    ):
        rows = calibration(with_temperature(run.test, temperature))["rows"]
        sizes, confidence, accuracy = zip(*rows, strict=True)
        axes.plot(confidence, accuracy, "-", label=name)
        axes.scatter(confidence, accuracy, s=np.sqrt(sizes) * 3)
    axes.set(xlabel="confidence", ylabel="accuracy", title=run.label, xlim=(0, 1), ylim=(0, 1))
    axes.legend()
    return finished(figure)


def recalls(runs: Sequence[Run], original: Mapping[str, Any]) -> Figure:
    """Recall by class on all test images, the original's beside those of the runs."""
    columns = {"original": [original["table_2"][name]["recall"] for name in CLASSES]}
    for run in runs:
        matrix = confusion_matrix(run.test)
        columns[run.label] = matrix.diagonal() / np.maximum(matrix.sum(axis=1), 1)
    frame = pd.DataFrame(columns, index=list(CLASSES))
    figure = class_bars(frame, "recall")
    figure.axes[0].set_ylim(0, 1)
    figure.axes[0].legend(loc="lower center", bbox_to_anchor=(0.5, 1), ncols=3, frameon=False)
    return finished(figure)
