"""Figures of the chapter Training."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ferbook.core.classes import CLASSES
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


_FROZEN, _TRAINED = "#e4e4e4", "#8fd3a3"  # grounds
_OPTIMIZERS = {"adamw": "AdamW", "adam": "Adam"}


def network(recipes: Sequence[Recipe], parameters: Mapping[str, Mapping[str, int]]) -> Figure:
    """The layers from the image down to the answer, and beside each what either phase trains.

    Where `recipes` differ, in backbone or input size, each has a line; the phases are those of
    the first. `parameters` are the counts of each backbone with its head.
    """
    first = recipes[0]
    layers = [
        ("gray image", "48 \u00d7 48"),
        ("resized, gray in three channels", _lines(f"{r.image_size} \u00d7 {r.image_size}"
                                                   for r in recipes)),
        (f"backbone, {'ImageNet' if first.weights == 'imagenet' else 'random'} weights",
         _lines(names.network_name(recipe.backbone) for recipe in recipes)),
        (f"global {first.pooling} pooling", ""),
        (f"dropout {first.dropout:g}", ""),
        ("dense layer, softmax", f"{len(CLASSES)} classes"),
    ]  # fmt: skip
    figure, axes = plt.subplots(figsize=(7.4, 6.0))
    axes.set(xlim=(-0.05, 6.9), ylim=(len(layers), -0.75))
    axes.set_axis_off()
    for row, (title, detail) in enumerate(layers):
        _draw_layer(axes, row, f"{title}\n{detail}".strip(), last=row == len(layers) - 1)
    counts = _lines(_trained(recipe, parameters[recipe.backbone]) for recipe in recipes)
    optimizer = _OPTIMIZERS[first.finetune_optimizer]
    rates = map(names.small_number, (first.warmup_learning_rate, first.finetune_learning_rate))
    titles = [f"phase 1: {first.warmup_epochs} epochs\nAdam, {next(rates)}",
              f"phase 2: {first.finetune_epochs} epochs\n{optimizer}, {next(rates)}"]  # fmt: skip
    _draw_phase(axes, 2.9, titles[0], "frozen", _FROZEN)
    _draw_phase(axes, 5.0, titles[1], counts, _TRAINED)
    return finished(figure)


def _trained(recipe: Recipe, counts: Mapping[str, int]) -> str:
    """How many parameters phase 2 trains, of how many; they are counted with BatchNorm frozen."""
    if recipe.train_batch_norm:
        return f"all of {counts['total']:,}\nbut statistics"
    return f"{counts['trainable']:,}\nof {counts['total']:,}"


def _lines(texts: Iterable[str]) -> str:
    """Each different text on a line of its own."""
    return "\n".join(dict.fromkeys(texts))


def _draw_layer(axes: Axes, row: int, text: str, *, last: bool) -> None:
    """A box with an arrow down to the next."""
    axes.add_patch(plt.Rectangle((0, row), 2.7, 0.8, fc="white", ec="#222222"))
    axes.text(1.35, row + 0.4, text, ha="center", va="center", fontsize=9)
    if not last:
        axes.annotate("", (1.35, row + 1), (1.35, row + 0.8),
                      arrowprops={"arrowstyle": "->", "color": "#222222"})  # fmt: skip


def _draw_phase(axes: Axes, left: float, title: str, backbone: str, color: str) -> None:
    """A column: its title, a field beside the backbone, and one beside the dense layer."""
    middle = left + 0.85
    axes.text(middle, -0.4, title, ha="center", va="center", fontsize=9, weight="bold")
    for row, text, ground in ((2, backbone, color), (5, "trained", _TRAINED)):
        height = 1.3 if "\n" in text else 0.8
        above = row + 0.4 - height / 2
        axes.add_patch(plt.Rectangle((left, above), 1.7, height, fc=ground, ec="none"))
        axes.text(middle, row + 0.4, text, ha="center", va="center", fontsize=9)


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
