"""Figures of the chapter Ablations."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ferbook.paper.chapters.ablations.changes import (
    ITSELF,
    differences,
    learned_groups,
    points,
    scores,
    unlearned,
)
from ferbook.paper.plots import (
    COLORS,
    covered,
    finished,
    name_at_right,
    name_points,
    readable_logarithms,
    statement,
    styles,
)
from ferbook.paper.table import with_minus
from ferbook.results import names
from ferbook.results.run import Run
from ferbook.results.seeds import compared
from ferbook.results.study import Study, of_study


def finalists(runs: Sequence[Run]) -> Figure:
    """Validation accuracy of several runs over their epochs."""
    figure, axes = plt.subplots()
    for run, style in zip(runs, styles([run.actor for run in runs]), strict=True):
        values = 100 * run.history["val_accuracy"]
        axes.plot(np.arange(1, len(values) + 1), values, markersize=4, label=run.label, **style)
    axes.set(xlabel="epoch", ylabel="accuracy on validation, %")
    axes.legend(loc="lower center", bbox_to_anchor=(0.45, 1), ncols=2, fontsize=9, frameon=False)
    return finished(figure)


_LARGE = 1_000_000  # parameters; so large ones lie close together and are named in a list


def pareto(frame: pd.DataFrame) -> Figure:
    """Test accuracy against parameters, of `tables.models_frame`; `name` stands beside a point.

    The names of large models are a list. Column `actor` gives color; a point that would hide
    another is a ring around it. The line joins the points that no smaller model surpasses.
    """
    shown = frame.dropna(subset=["parameters"])
    shown = shown.sort_values(["parameters", "accuracy"], ascending=[True, False])
    best = shown[shown["accuracy"] > shown["accuracy"].cummax().shift(fill_value=0)]
    figure, axes = plt.subplots(figsize=(7, 6))
    axes.step(
        best["parameters"], best["accuracy"], where="post", color="gray", linewidth=1, zorder=0
    )
    dots = [
        axes.plot(across, up, "o", color=COLORS[actor], mec="white")[0]
        for across, up, actor in shown[["parameters", "accuracy", "actor"]].itertuples(index=False)
    ]
    axes.set(xscale="log", xlabel="parameters", ylabel="accuracy on all test images, %")
    axes.margins(0.12)
    readable_logarithms(axes.xaxis)
    under = covered(axes, shown["parameters"], shown["accuracy"])
    for dot, count in zip(dots, under, strict=True):
        if count:
            dot.set(mfc="none", mec=dot.get_color(), mew=1.5, ms=6 * (1 + count))
    labels = [
        name + " (ring)" * (count > 0) for name, count in zip(shown["name"], under, strict=True)
    ]
    shown = shown.assign(label=labels, color=shown["actor"].map(COLORS))
    large = shown["parameters"] > _LARGE
    name_points(axes, *(shown.loc[~large, name] for name in ("parameters", "accuracy", "label")))
    many = shown[large]
    name_at_right(axes, many["parameters"], many["accuracy"], many["label"], many["color"])
    return finished(figure)


def forest(study: Study, runs: Sequence[Run], copied_files: frozenset[str]) -> Figure:
    """A row per change: a dot per seed, a bar at their mean, in the 95% interval of no difference.

    The interval is that of `seeds.compared`. The best stands on top; at the bottom, in words, those
    by which the network did not learn and those that were not run. A study of which nothing was
    run is one line of text.
    """
    learned, runs = learned_groups(study, runs), of_study(study, runs)
    means, of_runs = scores(study, runs), points(study, runs, copied_files)
    found, failed = differences(of_runs), unlearned(means)
    if found.empty:
        return statement(f"Not run: all {len(study.changes)} changes.")
    bounds = compared(learned, ITSELF) if ITSELF in learned else {}
    groups = {name: g for name, g in found.groupby("change", sort=False) if name not in failed}
    rows = [*sorted(groups, key=lambda name: -groups[name]["test"].mean()), *failed.index]
    rows += [name for name in map(names.change_name, study.changes) if name not in rows]
    figure, axes = plt.subplots(figsize=(6.2, 1.5 + 0.36 * len(rows)))
    axes.axvline(0, color="#222222", linewidth=1)
    axes.set(xlabel="points of accuracy on test above the recipe itself")
    for row, name in enumerate(rows):
        if name in groups:
            error = bounds[name].error if name in bounds else np.nan
            _draw_change(axes, row, groups[name], error, COLORS[runs[0].actor])
        else:
            text = f"did not learn: {failed[name]:.1%} correct" if name in failed else "not run"
            _note(axes, row, 0.01, text)
    for at, head in zip(_NOTES, ("all", "without near copies"), strict=True):
        _note(axes, -0.75, at, head)
    axes.set(yticks=range(len(rows)), yticklabels=rows, ylim=(len(rows) - 0.5, -0.5))
    axes.grid(axis="y", visible=False)
    return finished(figure)


EDGE = 4.0  # points: what differs by more stands there as an arrowhead
_NOTES = (1.02, 1.15)  # of the axes' width: where the columns of numbers begin


def _note(axes: Axes, row: float, at: float, text: str) -> None:
    axes.annotate(text, (at, row), xycoords=("axes fraction", "data"), va="center", fontsize=9.5,
                  color="#444444", annotation_clip=False)  # fmt: skip


def _mark(axes: Axes, row: int, value: float, marker: str, color: str, **style: Any) -> None:
    if abs(value) > EDGE:
        value, marker, style = (
            np.copysign(EDGE, value),
            "<" if value < 0 else ">",
            {"markersize": 8},
        )
    axes.plot(value, row, marker, color=color, **style)


def _draw_change(axes: Axes, row: int, group: pd.DataFrame, error: float, color: str) -> None:
    """Dots and mean on all test images, a diamond at the mean on those without copies."""
    if np.isfinite(error):
        error = min(error, EDGE)
        axes.fill_betweenx([row - 0.5, row + 0.5], -error, error, color="#dddddd", linewidth=0)
    means = group["test"].mean(), group["clean"].mean()
    for value in group["test"]:
        _mark(axes, row, value, "o", color, markersize=5, alpha=0.75)
    _mark(axes, row, means[0], "|", color, markersize=13, markeredgewidth=2.5)
    _mark(axes, row, means[1], "D", color, markersize=5, markerfacecolor="white")
    for at, value in zip(_NOTES, means, strict=True):
        _note(axes, row, at, with_minus(f"{value:+.2f}"))
