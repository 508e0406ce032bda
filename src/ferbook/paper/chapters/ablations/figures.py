"""Figures of the chapter Ablations."""

from __future__ import annotations

from collections.abc import Sequence

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.figure import Figure

from ferbook.paper.plots import finished
from ferbook.results.run import Run


def finalists(runs: Sequence[Run]) -> Figure:
    """Validation accuracy of several runs over their epochs."""
    figure, axes = plt.subplots()
    for run in runs:
        values = run.history["val_accuracy"]
        axes.plot(np.arange(1, len(values) + 1), values, "o-", markersize=4, label=run.label)
    axes.set(xlabel="epoch", ylabel="accuracy on validation")
    axes.legend()
    return finished(figure)


def pareto(frame: pd.DataFrame, cost: str) -> Figure:
    """Test accuracy against `cost`, a column of `frame`; `name` stands beside a point.

    Column `kind` gives colour and marker. The line joins the points that no cheaper one surpasses.
    """
    shown = frame.dropna(subset=[cost]).sort_values([cost, "accuracy"], ascending=[True, False])
    best = shown[shown["accuracy"] > shown["accuracy"].cummax().shift(fill_value=0)]
    figure, axes = plt.subplots(figsize=(8, 4.5))
    axes.step(best[cost], best["accuracy"], where="post", color="grey", linewidth=1, zorder=0)
    kinds = sorted(frame["kind"].unique())  # the same in each figure, whatever is missing there
    colours = dict(zip(kinds, sns.color_palette(), strict=False))
    for kind, marker in zip(kinds, "osX^", strict=False):
        some = shown[shown["kind"] == kind]
        if len(some):
            axes.plot(some[cost], some["accuracy"], marker, color=colours[kind], label=kind)
    for i, (_, row) in enumerate(shown[shown["name"] != ""].iterrows()):
        # By turns above and below, so that neighbours do not cover each other.
        axes.annotate(row["name"], (row[cost], row["accuracy"]), xytext=(0, -13 if i % 2 else 7),
                      textcoords="offset points", ha="center", fontsize=8)  # fmt: skip
    axes.set(xscale="log", xlabel=cost, ylabel="accuracy on all test images")
    axes.legend(title="", loc="lower center", bbox_to_anchor=(0.5, 1), ncols=4, frameon=False)
    return finished(figure)
