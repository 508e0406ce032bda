"""Figures of the chapter Training."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ferbook.core.classes import CLASSES, SIDE
from ferbook.core.recipe import Recipe
from ferbook.data import ferplus
from ferbook.data.faces import Faces
from ferbook.paper.plots import finished, picture_grid
from ferbook.results import names
from ferbook.results.run import Run


def augmentations(original: np.ndarray, augmented: np.ndarray) -> Figure:
    """Images (k, h, w) above their augmented versions (rounds, k, h, w)."""
    titles = ["unaltered", *(f"epoch {i + 1}" for i in range(len(augmented)))]
    return picture_grid([original, *augmented], titles)


_OPTIMIZERS = {"adamw": "AdamW", "adam": "Adam"}


def network(recipes: Sequence[Recipe], parameters: Mapping[str, Mapping[str, int]]) -> Figure:
    """The layers from the image down to the answer, and beside each what either phase trains.

    The original's recipe comes first; one that differs from it, in backbone or input size, has a
    column of its own. The phases are those of the first. `parameters` are the counts of each
    backbone with its head.
    """
    first = recipes[0]
    alike = len({(recipe.backbone, recipe.image_size) for recipe in recipes}) == 1
    shown = {"": first} if alike else dict(zip(("original", "here"), recipes, strict=True))
    weights = "ImageNet" if first.weights == "imagenet" else "random"
    layers = {
        "gray image": [f"{SIDE} \u00d7 {SIDE}"] * len(shown),
        "resized, three channels": [
            f"{r.image_size} \u00d7 {r.image_size}" for r in shown.values()
        ],
        f"backbone,\n{weights} weights": [names.network_name(r.backbone) for r in shown.values()],
        f"global {first.pooling} pooling": [],
        f"dropout {first.dropout:g}": [],
        "dense layer, softmax": [f"{len(CLASSES)} classes"] * len(shown),
    }
    right = 2.9 + _WIDTH * len(shown)
    figure, axes = plt.subplots(figsize=(right + 2 * _WIDTH, 6.2))
    axes.set(xlim=(-0.05, right + 2 * _WIDTH), ylim=(len(layers) + 1, -0.9))
    axes.set_axis_off()
    for row, (title, details) in enumerate(layers.items()):
        _draw_layer(axes, row, title, last=row == len(layers) - 1)
        for at, detail in enumerate(details):
            _write(axes, at, row + 0.4, detail)
    _write(axes, -1.35, len(layers) + 0.4, "parameters that phase 2\ntrains, of all")
    for at, (title, recipe) in enumerate(shown.items()):
        _write(axes, at, -0.4, title, weight="bold")
        _write(axes, at, len(layers) + 0.4, _trained(recipe, parameters[recipe.backbone]))
    optimizer = _OPTIMIZERS[first.finetune_optimizer]
    rates = map(names.small_number, (first.warmup_learning_rate, first.finetune_learning_rate))
    titles = [f"phase 1\n{first.warmup_epochs} epochs\nAdam, {next(rates)}",
              f"phase 2\n{first.finetune_epochs} epochs\n{optimizer}, {next(rates)}"]  # fmt: skip
    for at, (title, backbone) in enumerate(zip(titles, ("frozen", "trained"), strict=True)):
        _write(axes, len(shown) + at, -0.4, title, weight="bold")
        for row, text in ((2, backbone), (5, "trained")):
            _draw_field(axes, right + _WIDTH * at, row, text)
    return finished(figure)


_WIDTH = 1.75  # of a column beside the layers


def _trained(recipe: Recipe, counts: Mapping[str, int]) -> str:
    """How many parameters phase 2 trains, of how many; they are counted with BatchNorm frozen."""
    if recipe.train_batch_norm:
        return f"all of {counts['total']:,}\nbut statistics"
    return f"{counts['trainable']:,}\nof {counts['total']:,}"


def _write(axes: Axes, column: float, height: float, text: str, **how: Any) -> None:
    across = 2.9 + _WIDTH * (column + 0.5)
    axes.text(across, height, text, ha="center", va="center", fontsize=9, **how)


def _draw_layer(axes: Axes, row: int, text: str, *, last: bool) -> None:
    """A box with an arrow down to the next."""
    axes.add_patch(plt.Rectangle((0, row), 2.7, 0.8, fc="white", ec="#222222"))
    axes.text(1.35, row + 0.4, text, ha="center", va="center", fontsize=9)
    if not last:
        axes.annotate("", (1.35, row + 1), (1.35, row + 0.8),
                      arrowprops={"arrowstyle": "->", "color": "#222222"})  # fmt: skip


def _draw_field(axes: Axes, left: float, row: int, text: str) -> None:
    """What a phase does with a layer."""
    color = {"frozen": "#e4e4e4", "trained": "#8fd3a3"}[text]
    axes.add_patch(plt.Rectangle((left + 0.1, row), _WIDTH - 0.2, 0.8, fc=color, ec="none"))
    axes.text(left + _WIDTH / 2, row + 0.4, text, ha="center", va="center", fontsize=9)


def failures(faces: Faces, run: Run, pairs: list[tuple[str, str]], *, count: int = 6) -> Figure:
    """The most confident errors from one class to another, a row per pair (true, predicted).

    Below each stand the probability of the answer and what most of FER+'s taggers saw.
    """
    rows, titles, notes = [], [], []
    answers = run.test.answers
    place = pd.Index(faces.files).get_indexer(run.test.files)  # -1 where `faces` lack it
    for true, predicted in pairs:
        t, p = CLASSES.index(true), CLASSES.index(predicted)
        wrong = np.flatnonzero((run.test.labels == t) & (answers == p) & (place >= 0))
        worst = wrong[np.argsort(-run.test.probabilities[wrong, p], kind="stable")][:count]
        blank = np.full((count, *faces.images.shape[1:]), 255, np.uint8)
        blank[: len(worst)] = faces.images[place[worst]]
        rows.append(blank)
        titles.append(f"{true} taken\nfor {predicted}")
        seen = _second_opinions(run.test.files[worst])
        noted = [
            f"{run.test.probabilities[i, p]:.0%}\n{s}" for i, s in zip(worst, seen, strict=True)
        ]
        notes.append(noted + [""] * (count - len(worst)))
    return picture_grid(rows, titles, notes)


def _second_opinions(files: np.ndarray) -> list[str]:
    """What most taggers of FER+ saw in each image."""
    return [ferplus.VOTES[i] if i >= 0 else "undecided" for i in ferplus.pluralities(files)]
