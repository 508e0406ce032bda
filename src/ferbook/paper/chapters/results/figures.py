"""Figures of the chapter Results."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from ferbook.claims.field import ALL, PRIVATE, UNSTATED, Method
from ferbook.core.classes import CLASSES
from ferbook.core.recipe import Recipe
from ferbook.paper.plots import COLORS, NEUTRALS, class_bars, finished, heatmap
from ferbook.paper.table import MINUS
from ferbook.results import names
from ferbook.results.metrics import (
    accuracy,
    accuracy_interval,
    calibration,
    confusion_matrix,
    named_test_sets,
    with_temperature,
)
from ferbook.results.run import Run


def learning_curves(run: Run, column: str) -> Figure:
    """`column` ("accuracy" or "loss") over the epochs of both phases, training and validation."""
    history, color = run.history, COLORS[run.actor]
    epochs = np.arange(1, len(history) + 1)
    scale, unit = (100, ", %") if column == "accuracy" else (1, "")
    figure, axes = plt.subplots()
    axes.plot(epochs, scale * history[column], "o--", color=color, mfc="white", label="training")
    axes.plot(epochs, scale * history["val_" + column], "o-", color=color, label="validation")
    warmup = int((history["phase"] == "warmup").sum())
    if 0 < warmup < len(history):
        axes.axvline(warmup + 0.5, color="gray", linestyle="--", linewidth=1)
        axes.text(warmup + 0.55, 0.02, "phase 2", color="gray",
                  transform=axes.get_xaxis_transform(),
                  bbox={"color": "white", "pad": 1})  # fmt: skip
    axes.set(xlabel="epoch", ylabel=column + unit, title=run.label, xticks=epochs)
    axes.legend()
    return finished(figure)


def confusion(run: Run, *, normalized: bool) -> Figure:
    """Confusion matrix on all test images: counts, or fractions of each true class."""
    shown = _shares(run) if normalized else confusion_matrix(run.test)
    figure, axes = heatmap(shown, CLASSES, ".2f" if normalized else "d", (6.5, 5.5))
    axes.set(xlabel="predicted", ylabel="true", title=run.label)
    return finished(figure)


def confusion_difference(first: Run, second: Run) -> Figure:
    """Points that each cell of the row-normalized matrix gains from `first` to `second`."""
    points = np.round(100 * (_shares(second) - _shares(first)), 1) + 0.0  # no -0
    limit = max(np.abs(points).max(), 1)
    signed = [[f"{cell:+.1f}".replace("-", MINUS) for cell in row] for row in points]
    figure, axes = heatmap(points, CLASSES, "", (6.5, 5.5), annot=signed, cmap="PuOr",
                           vmin=-limit, vmax=limit,
                           cbar_kws={"shrink": 0.8, "label": "points"})  # fmt: skip
    axes.set(xlabel="predicted", ylabel="true", title=f"{second.label}\nminus {first.label}")
    return finished(figure)


def _shares(run: Run) -> np.ndarray:
    """The confusion matrix on all test images, as fractions of each true class."""
    matrix = confusion_matrix(run.test)
    return matrix / np.maximum(matrix.sum(axis=1, keepdims=True), 1)


def subject_and_best(runs: Sequence[Run]) -> list[Run]:
    """The first run, and the best on validation images without copies where it is another."""
    best = max(runs, key=lambda run: run.val_clean_accuracy)
    return [runs[0]] if best is runs[0] else [runs[0], best]


def reliability(runs: Sequence[Run]) -> Figure:
    """Accuracy against confidence on all test images, a panel per run.

    Dashed as trained, solid with the temperature fitted on validation; the text gives the expected
    calibration errors (15 bins).
    """
    figure, panels = plt.subplots(
        1, len(runs), figsize=(4.6 * len(runs), 4.6), sharey=True, squeeze=False
    )
    for axes, run in zip(panels[0], runs, strict=True):
        axes.plot([0, 100], [0, 100], color="gray", linewidth=1, label="perfect")
        notes = [
            _draw_calibration(axes, run, *how)
            for how in (("as trained", 1.0, "--"), ("temperature fitted", run.temperature, "-"))
        ]
        axes.text(0.97, 0.03, "\n".join(notes), ha="right", va="bottom", fontsize=9,
                  transform=axes.transAxes)  # fmt: skip
        axes.set(xlabel="confidence, %", xlim=(0, 100), ylim=(0, 100), aspect="equal")
        axes.set_title(run.label, fontsize=10)
        axes.legend(fontsize=9)
    panels[0][0].set_ylabel("accuracy, %")
    return finished(figure)


def _draw_calibration(axes: Axes, run: Run, name: str, temperature: float, line: str) -> str:
    """Returns the calibration error in words."""
    found = calibration(with_temperature(run.test, temperature))
    sizes, confidence, shares = np.array(found["rows"]).T
    axes.plot(100 * confidence, 100 * shares, line, color=COLORS[run.actor], label=name)
    axes.scatter(100 * confidence, 100 * shares, s=np.sqrt(sizes) * 3, color=COLORS[run.actor])
    return f"T = {temperature:.2f}: error {found['ece']:.1%}"


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
    figure.axes[0].legend(loc="lower center", bbox_to_anchor=(0.5, 1), ncols=2, frameon=False)
    return finished(figure)


def sizes(runs: Sequence[Run], original: Mapping[str, Any]) -> Figure:
    """Accuracy on all test images against input size: a dot per run, a line through the means.

    The original's accuracy stands at its own input size.
    """
    rows = [(run.recipe.image_size, 100 * accuracy(run.test)) for run in runs]
    frame = pd.DataFrame(rows, columns=["side", "accuracy"])
    means, color = frame.groupby("side")["accuracy"].mean(), COLORS[runs[0].actor]
    figure, axes = plt.subplots(figsize=(8, 3.5))
    axes.plot(frame["side"], frame["accuracy"], "o", color=color, alpha=0.75)
    axes.plot(means.index, means, color=color, label=names.recipe_name(runs[0].recipe.name))
    own = Recipe().image_size
    axes.plot(own, 100 * original["accuracy"], "D", color=COLORS[names.ORIGINAL],
              label=names.ORIGINAL)  # fmt: skip
    axes.set(xlabel="side of the input, px", ylabel="accuracy on all test images, %")
    axes.set_xticks(sorted({*means.index, own}))
    axes.legend(loc="lower right")
    return finished(figure)


Mark = tuple[str, float, str, bool, list[float]]
"""Name, accuracy in percent, actor, whether chosen on the same images, what others measured."""


def field(methods: Sequence[Method], runs: Sequence[Run], original: Mapping[str, Any]) -> Figure:
    """Published accuracies, the original's and ours on one axis, a panel per set of test images.

    Open where the checkpoint was chosen on the same images; a line spans what others measured.
    """
    panels = {name: _marks(name, methods, runs, original) for name in (PRIVATE, ALL, UNSTATED)}
    panels = {name: marks for name, marks in panels.items() if marks}
    counts = [len(marks) for marks in panels.values()]
    size = 5.5, 1.6 + 0.52 * sum(counts)  # inches; narrow, to be readable on a phone
    figure, grid = plt.subplots(
        len(panels), figsize=size, sharex=True, squeeze=False, height_ratios=counts
    )
    for axes, (name, marks) in zip(grid.flat, panels.items(), strict=True):
        _draw_marks(axes, name, marks)
    grid[-1][0].set_xlabel("accuracy, %")
    how = {"color": NEUTRALS[0], "linestyle": "", "marker": "o"}
    key = [Line2D([], [], label="as printed or measured here", **how),
           Line2D([], [], label="checkpoint chosen on these images", **how | {"mfc": "white"}),
           Line2D([], [], label="measured by others", color=NEUTRALS[1], marker="|")]  # fmt: skip
    grid[0][0].legend(
        handles=key, loc="lower center", bbox_to_anchor=(0.3, 1 + 0.8 / counts[0]), frameon=False
    )
    return finished(figure)


def _marks(
    images: str, methods: Sequence[Method], runs: Sequence[Run], original: Mapping[str, Any]
) -> list[Mark]:
    """What was measured on these test images, the highest accuracy first."""
    marks = [
        (m.model, 100 * m.value, names.OTHERS, m.on_test,
         [100 * value for value in m.by_others])
        for m in methods if m.images == images
    ]  # fmt: skip
    if images == ALL:
        marks.append((names.ORIGINAL, 100 * original["accuracy"], names.ORIGINAL, False, []))
    if images != UNSTATED:
        for run in runs:
            part = named_test_sets(run.test, frozenset())["test" if images == ALL else "private"]
            if len(part):
                marks.append((run.label, 100 * accuracy(part), run.actor, False, []))
    return sorted(marks, key=lambda mark: -mark[1])


def _draw_marks(axes: Axes, title: str, marks: Sequence[Mark]) -> None:
    for row, (_, value, actor, on_test, others) in enumerate(marks):
        if others:
            axes.plot([min(others), max(others)], [row, row], "-|", color=NEUTRALS[1])
        axes.plot(value, row, "o", color=COLORS[actor], ms=7, mfc="white" if on_test else None)
    labels = [name if len(name) < 25 else name.replace(", ", ",\n", 1) for name, *_ in marks]
    axes.set(yticks=range(len(marks)), yticklabels=labels, ylim=(len(marks) - 0.5, -0.5))
    axes.tick_params(axis="y", labelsize=10)  # two lines fit a row
    axes.set_title(title, loc="left", fontsize=11)
    axes.grid(axis="y", visible=False)
