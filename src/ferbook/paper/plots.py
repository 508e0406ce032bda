"""The style of the book's figures, and the forms that several chapters share."""

from __future__ import annotations

from collections.abc import Sequence

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ferbook.core.classes import CLASSES
from ferbook.results.run import Run

# Okabe & Ito's colours, told apart with any colour vision.
COLOURS = {"training": "#0072B2", "validation": "#D55E00"}


def use_style() -> None:
    """The one style of the book; white ground, since dark pages show figures on white."""
    sns.set_theme(context="notebook", style="whitegrid", palette="colorblind")
    plt.rcParams |= {
        "figure.figsize": (8.0, 4.0),  # inches
        "figure.dpi": 110,
        "savefig.bbox": "tight",
        "axes.spines.top": False,
        "axes.spines.right": False,
    }


def learning_curves(run: Run, column: str) -> Figure:
    """`column` ("accuracy" or "loss") over the epochs of both phases, training and validation."""
    history = run.history
    epochs = np.arange(1, len(history) + 1)
    figure, axes = plt.subplots()
    for name, prefix in (("training", ""), ("validation", "val_")):
        axes.plot(epochs, history[prefix + column], "o-", color=COLOURS[name], label=name)
    warmup = int((history["phase"] == "warmup").sum())
    if 0 < warmup < len(history):
        axes.axvline(warmup + 0.5, color="grey", linestyle="--", linewidth=1)
        axes.text(warmup + 0.55, axes.get_ylim()[1], "phase 2", va="top", color="grey")
    axes.set(xlabel="epoch", ylabel=column, title=run.label, xticks=epochs)
    axes.legend()
    return finished(figure)


def heatmap(
    values: np.ndarray, columns: Sequence[str], spec: str, size: tuple[float, float]
) -> tuple[Figure, Axes]:
    """A row per class; fractions share one scale."""
    figure, axes = plt.subplots(figsize=size)
    sns.heatmap(
        values, annot=True, fmt=spec, cmap="Blues", xticklabels=columns, yticklabels=CLASSES,
        vmin=0, vmax=None if spec == "d" else 1, square=True, annot_kws={"size": 9},
        cbar_kws={"shrink": 0.8}, ax=axes,
    )  # fmt: skip
    axes.tick_params(axis="x", rotation=45)
    axes.tick_params(axis="y", rotation=0)
    return figure, axes


def class_bars(frame: pd.DataFrame, unit: str) -> Figure:
    """A group of bars per class (row of `frame`), a bar per column."""
    figure, axes = plt.subplots()
    frame.plot.bar(ax=axes, width=0.8, rot=0)
    axes.set(xlabel="", ylabel=unit)
    axes.grid(axis="x", visible=False)
    return figure


def finished(figure: Figure) -> Figure:
    """Closed, so that a notebook shows it once: as the value of its cell."""
    plt.close(figure)
    return figure


def picture_grid(rows: list[np.ndarray], names: list[str]) -> Figure:
    """Rows of grey pictures, each (k, h, w) in [0, 255] behind its name."""
    columns = len(rows[0])
    figure, grid = plt.subplots(
        len(rows), columns, figsize=(columns + 1.2, len(rows)), squeeze=False
    )
    for axes, pictures, name in zip(grid, rows, names, strict=True):
        for cell, picture in zip(axes, pictures, strict=True):
            cell.imshow(picture, cmap="gray", vmin=0, vmax=255)
            cell.set(xticks=[], yticks=[])
            cell.grid(visible=False)
        axes[0].set_ylabel(name, rotation=0, ha="right", va="center")
    figure.subplots_adjust(wspace=0.04, hspace=0.04)
    return finished(figure)
