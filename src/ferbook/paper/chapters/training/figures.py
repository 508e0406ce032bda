"""Figures of the chapter Training."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure

from ferbook.core.classes import CLASSES
from ferbook.data import ferplus
from ferbook.data.faces import Faces
from ferbook.paper.plots import picture_grid
from ferbook.results.run import Run


def augmentations(original: np.ndarray, augmented: np.ndarray) -> Figure:
    """Images (k, h, w) above their augmented versions (rounds, k, h, w)."""
    names = ["as it is", *(f"drawn {i + 1}" for i in range(len(augmented)))]
    return picture_grid([original, *augmented], names)


def failures(faces: Faces, run: Run, pairs: list[tuple[str, str]], *, count: int = 6) -> Figure:
    """The most confident errors from one class to another, a row per pair (true, predicted).

    Below each stand the probability of the answer and what most of FER+'s taggers saw.
    """
    rows, names, notes = [], [], []
    answers, place = run.test.probabilities.argmax(axis=1), _places(faces, run.test.files)
    for true, predicted in pairs:
        t, p = CLASSES.index(true), CLASSES.index(predicted)
        wrong = np.flatnonzero((run.test.labels == t) & (answers == p) & (place >= 0))
        worst = wrong[np.argsort(-run.test.probabilities[wrong, p], kind="stable")][:count]
        blank = np.full((count, *faces.images.shape[1:]), 255, np.uint8)
        blank[: len(worst)] = faces.images[place[worst]]
        rows.append(blank)
        names.append(f"{true} taken\nfor {predicted}")
        seen = _second_opinions(run.test.files[worst])
        noted = [
            f"{run.test.probabilities[i, p]:.0%}\n{s}" for i, s in zip(worst, seen, strict=True)
        ]
        notes.append(noted + [""] * (count - len(worst)))
    return picture_grid(rows, names, notes)


def _second_opinions(files: np.ndarray) -> list[str]:
    """What most taggers of FER+ saw in each image."""
    return [f"FER+: {ferplus.VOTES[i]}" if i >= 0 else "FER+: no plurality"
            for i in ferplus.pluralities(files)]  # fmt: skip


def _places(faces: Faces, files: np.ndarray) -> np.ndarray:
    """The row of each file in `faces`, -1 where it is not there."""
    rows = {file: row for row, file in enumerate(faces.files)}
    return np.array([rows.get(file, -1) for file in files])
