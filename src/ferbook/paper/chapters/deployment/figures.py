"""Figures of the chapter on deployment."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ferbook.core.classes import CLASSES
from ferbook.data.faces import Faces
from ferbook.inference.classifier import Classifier
from ferbook.paper.plots import COLORS, finished, name_at_right, name_points, readable_logarithms


def cost(frame: pd.DataFrame) -> Figure:
    """Size of each file against its latency, with its accuracy beside its name; see `cost_frame`.

    Left and below is cheaper.
    """
    frame = frame.sort_values("ms_single", ascending=False)  # names to the right are tried first
    figure, axes = plt.subplots(figsize=(8, 5.5))
    for _, row in frame.iterrows():
        axes.plot(row["ms_single"], row["MB"], "o", color=COLORS[row["actor"]])
    axes.set(xscale="log", yscale="log", xlabel="ms for one image", ylabel="MB")
    axes.margins(0.15)
    for axis in (axes.xaxis, axes.yaxis):
        readable_logarithms(axis)
    labels = [f"{name}\n{100 * share:.1f}%" for name, share in frame["accuracy"].items()]
    name_points(axes, frame["ms_single"], frame["MB"], labels)
    return finished(figure)


def robustness(rows: Sequence[Mapping[str, Any]]) -> Figure:
    """Accuracy against the severity of each corruption; see export.corruptions."""
    frame = pd.DataFrame(rows)
    frame["accuracy"] = 100 * frame["correct"] / frame["total"]
    whole = frame[frame["corruption"] == "none"]
    kinds = [name for name in frame["corruption"].unique() if name != "none"]
    starts = pd.concat([whole.assign(corruption=name) for name in kinds])
    shown = pd.concat([starts, frame[frame["corruption"] != "none"]])
    figure, axes = plt.subplots(figsize=(6.5, 4.5))
    colors = dict(zip(kinds, sns.color_palette("dark", len(kinds)), strict=True))
    sns.lineplot(shown, x="severity", y="accuracy", hue="corruption", palette=colors, marker="o",
                 legend=False, ax=axes)  # fmt: skip
    axes.set(ylabel="accuracy, %", xticks=sorted(shown["severity"].unique()))
    ends = shown[shown["severity"] == shown["severity"].max()]
    name_at_right(axes, ends["severity"], ends["accuracy"], ends["corruption"],
                  ends["corruption"].map(colors))  # fmt: skip
    return finished(figure)


def evidence(faces: Faces, model: Classifier) -> Figure:
    """The logit of the answer at each place, over one right and one wrong answer per class."""
    some = faces.thinned(700)
    answers = model.probabilities(some.images).argmax(axis=1)
    figure, grid = plt.subplots(2, len(CLASSES), figsize=(8, 3.5))
    for row, right in zip(grid, (True, False), strict=True):
        for label, axes in enumerate(row):
            axes.set_axis_off()
            found = np.flatnonzero((some.labels == label) & ((answers == label) == right))
            if len(found):
                _overlay(axes, some.images[found[0]], model, int(answers[found[0]]), label)
    figure.tight_layout(pad=0.3, h_pad=1.2)
    return finished(figure)


def _overlay(axes: Axes, picture: np.ndarray, model: Classifier, answer: int, label: int) -> None:
    places = model.evidence(picture[None])[0, ..., answer]
    limit, side = np.abs(places).max(), len(picture)
    axes.imshow(picture, cmap="gray", vmin=0, vmax=255)
    axes.imshow(places, cmap="RdBu_r", vmin=-limit, vmax=limit, alpha=0.45,
                extent=(-0.5, side - 0.5, side - 0.5, -0.5), interpolation="bilinear")  # fmt: skip
    right = answer == label
    title = CLASSES[label] if right else f"{CLASSES[label]}:\n{CLASSES[answer]}?"
    axes.set_title(title, fontsize=11)
