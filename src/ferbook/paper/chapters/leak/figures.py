"""Figures of the chapter The leak."""

from __future__ import annotations

from collections.abc import Sequence

import matplotlib.pyplot as plt
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from ferbook.core.classes import CLASSES
from ferbook.data import audit, near_duplicates
from ferbook.data.faces import Faces
from ferbook.paper.plots import COLORS, NEUTRALS, finished, picture_grid, statement
from ferbook.results.metrics import accuracy, named_test_sets
from ferbook.results.run import Run

# Reading of the test set, see `named_test_sets` -> how it is drawn and what the key says.
_SETS = {
    "clean": {"marker": "o", "mfc": "white", "mew": 2, "label": "without a copy in training"},
    "test": {"marker": "o", "label": "all test images"},
    "leaked": {"marker": "s", "label": "with a copy in training"},
}


def scores(runs: Sequence[Run], leaked_files: frozenset[str]) -> Figure:
    """A line per run: accuracy on test images without a copy, on all, and on those with one."""
    if not runs:
        return statement("Not run.")
    size = 5.5, 1.6 + 0.5 * len(runs)  # inches; narrow, to be readable on a phone
    figure, axes = plt.subplots(figsize=size)
    for row, run in enumerate(runs):
        sets = named_test_sets(run.test, leaked_files)
        places = {name: 100 * accuracy(sets[name]) for name in _SETS if len(sets[name])}
        color = COLORS[run.actor]
        axes.plot([min(places.values()), max(places.values())], [row] * 2, color=color)
        for name, place in places.items():
            axes.plot(place, row, color=color, ms=8, linestyle="", **_SETS[name])
    axes.set(
        yticks=range(len(runs)), yticklabels=[run.label.replace(", ", ",\n", 1) for run in runs]
    )
    axes.set(ylim=(len(runs) - 0.5, -0.5), xlabel="accuracy, %")
    axes.grid(axis="y", visible=False)
    key = [Line2D([], [], color=NEUTRALS[0], linestyle="", **how) for how in _SETS.values()]
    axes.legend(handles=key, loc="lower center", bbox_to_anchor=(0.3, 1), ncols=1, frameon=False)
    return finished(figure)


def twins(faces: Faces, *, count: int = 8, seed: int = 0) -> Figure:
    """Leaked test images above their twins in the training folder, each with its label.

    A column is a pair, drawn with `seed`: `count` of pixel-identical images, `count` of near
    duplicates. Copies among synthetic faces were planted and are not shown.
    """
    if faces.name == "synthetic":
        return statement("Not shown: the copies among synthetic faces were planted.")
    pairs = audit.leaked_pairs(faces, near_duplicates.near_duplicates(faces))
    kinds = [pairs[pairs["identical"] == same].drop_duplicates("test") for same in (True, False)]
    count = min(count, *map(len, kinds))
    if not count:
        return statement("These images hold no such pairs.")
    chosen = [kind.sample(count, random_state=seed) for kind in kinds]
    rows = [some[part].to_numpy() for some in chosen for part in ("test", "training")]
    notes = [[CLASSES[label] for label in faces.labels[row]] for row in rows]
    names = ["test", "its copy\nin training", "test", "its near duplicate\nin training"]
    return picture_grid([faces.images[row] for row in rows], names, notes)
