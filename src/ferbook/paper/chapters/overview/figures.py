"""The figure of the front page."""

from __future__ import annotations

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from ferbook.paper.plots import COLORS, NEUTRALS, finished
from ferbook.results.names import seed_count

_KEY = {
    "all test images, 95% interval": {"marker": "o", "linestyle": "-"},
    "without copies in training": {"marker": "o", "linestyle": "", "mfc": "white"},
    "each seed": {"marker": "|", "linestyle": ""},
}


def accuracies(frame: pd.DataFrame) -> Figure:
    """A line per row of `tables.accuracy_frame`: mean, interval, seeds, and the clean score."""
    size = 5.5, 1.2 + 0.7 * len(frame)  # inches; narrow, to be readable on a phone
    figure, axes = plt.subplots(figsize=size)
    for place, (_, row) in enumerate(frame.iterrows()):
        color = COLORS[row["actor"]]
        axes.plot([100 * row["low"], 100 * row["high"]], [place, place], color=color, linewidth=2)
        seeds = row["seeds"] if len(row["seeds"]) > 1 else []
        axes.plot([100 * seed for seed in seeds], [place] * len(seeds), "|", color=color, ms=10)
        axes.plot(100 * row["clean"], place, "o", color=color, mfc="white", mew=2, ms=9)
        axes.plot(100 * row["test"], place, "o", color=color, ms=9)
        axes.annotate(f"{100 * row['test']:.1f}%", (100 * row["test"], place),
                      xytext=(0, 13 if seeds else 9), textcoords="offset points", ha="center",
                      fontsize=10)  # fmt: skip
    labels = [_label(str(name), row["seeds"]) for name, row in frame.iterrows()]
    axes.set(yticks=range(len(frame)), yticklabels=labels, xlabel="accuracy on test images, %")
    axes.set_ylim(len(frame) - 0.5, -0.7)  # the first row on top
    axes.grid(axis="y", visible=False)
    key = [Line2D([], [], color=NEUTRALS[0], label=name, **how) for name, how in _KEY.items()]
    axes.legend(handles=key, loc="lower center", bbox_to_anchor=(0.3, 1), ncols=1, frameon=False)
    return finished(figure)


def _label(name: str, seeds: list[float]) -> str:
    lines = name.replace(", ", ",\n", 1).split("\n")
    return "\n".join([*lines, seed_count(len(seeds))] if seeds else lines)
