"""Figures of the chapter Ablations."""

from __future__ import annotations

from collections.abc import Sequence

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from ferbook.paper.plots import COLORS, finished, name_points, readable_logarithms, styles
from ferbook.results.run import Run


def finalists(runs: Sequence[Run]) -> Figure:
    """Validation accuracy of several runs over their epochs."""
    figure, axes = plt.subplots()
    for run, style in zip(runs, styles([run.actor for run in runs]), strict=True):
        values = run.history["val_accuracy"]
        axes.plot(np.arange(1, len(values) + 1), values, markersize=4, label=run.label, **style)
    axes.set(xlabel="epoch", ylabel="accuracy on validation")
    axes.legend()
    return finished(figure)


def pareto(frame: pd.DataFrame, cost: str) -> Figure:
    """Test accuracy against `cost`, a column of `frame`; `name` stands beside a point.

    Column `actor` gives color. The line joins the points that no cheaper one surpasses.
    """
    shown = frame.dropna(subset=[cost]).sort_values([cost, "accuracy"], ascending=[True, False])
    best = shown[shown["accuracy"] > shown["accuracy"].cummax().shift(fill_value=0)]
    figure, axes = plt.subplots(figsize=(8, 4.5))
    axes.step(best[cost], best["accuracy"], where="post", color="grey", linewidth=1, zorder=0)
    for _, row in shown.iterrows():
        axes.plot(row[cost], row["accuracy"], "o", color=COLORS[row["actor"]])
    axes.set(xscale="log", xlabel=cost, ylabel="accuracy on all test images")
    axes.margins(0.12)
    readable_logarithms(axes.xaxis)
    name_points(axes, shown[cost], shown["accuracy"], shown["name"])
    return finished(figure)
