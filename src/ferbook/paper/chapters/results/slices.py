"""Accuracy on slices of the test images that need no personal label."""

from __future__ import annotations

from collections.abc import Sequence

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from ferbook.data import ferplus
from ferbook.paper.plots import finished, styles
from ferbook.results.metrics import score
from ferbook.results.run import Run


def slices(runs: Sequence[Run], images: pd.DataFrame) -> Figure:
    """A row per slice, a dot with its Wilson interval per run.

    Slices are quarters by brightness and sharpness, and groups by tagger agreement. `images` holds
    `brightness` and `sharpness` by file; see audit.describe_images.
    """
    files = runs[0].test.files
    masks = _masks(images.loc[files], files)
    figure, axes = plt.subplots(figsize=(8, 1.2 + 0.4 * len(masks)))
    for i, (run, style) in enumerate(zip(runs, styles([r.actor for r in runs]), strict=True)):
        scores = [score(run.test.select(mask)) for mask in masks.values()]
        shares, low, high = (
            100 * np.array([s[key] for s in scores])
            for key in ("accuracy", "accuracy_low", "accuracy_high")
        )
        places = np.arange(len(masks)) + 0.3 * ((i + 0.5) / len(runs) - 0.5)
        bars = [shares - low, high - shares]
        axes.errorbar(shares, places, xerr=bars, linestyle="", label=run.label, **style)
    labels = [f"{name} ({mask.sum():,})" for name, mask in masks.items()]
    axes.set(yticks=range(len(masks)), yticklabels=labels, ylim=(len(masks) - 0.5, -0.5))
    axes.set(xlabel="accuracy, % (number of images in parentheses)")
    axes.legend(loc="lower center", bbox_to_anchor=(0.5, 1), ncols=2, frameon=False)
    return finished(figure)


def _masks(images: pd.DataFrame, files: np.ndarray) -> dict[str, np.ndarray]:
    """Name -> mask (n,) of each slice that is not empty."""
    measures = images.reset_index(drop=True)
    votes = pd.Series(ferplus.certainty(files))
    slices = {}
    for name in ("brightness", "sharpness"):
        quarters = pd.qcut(measures[name].rank(method="first"), 4, labels=False)
        for quarter, word in enumerate(("lowest", "second", "third", "highest")):
            slices[f"{name}, {word} quarter"] = quarters == quarter
    for low, high in ((1, 5), (6, 7), (8, 9), (10, 10)):
        span = f"{low} to {high} of ten" if low < high else "all ten"
        slices[f"{span} taggers agree"] = votes.between(low, high)
    return {name: mask.to_numpy() for name, mask in slices.items() if mask.any()}
