"""Figures of the chapter Training."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure

from ferbook.core.classes import CLASSES
from ferbook.data.faces import Faces
from ferbook.paper.plots import picture_grid
from ferbook.results.run import Run


def augmentations(original: np.ndarray, augmented: np.ndarray) -> Figure:
    """Images (k, h, w) above their augmented versions (rounds, k, h, w)."""
    names = ["as it is", *(f"drawn {i + 1}" for i in range(len(augmented)))]
    return picture_grid([original, *augmented], names)


def failures(faces: Faces, run: Run, pairs: list[tuple[str, str]], *, count: int = 6) -> Figure:
    """The most confident errors from one class to another, a row per pair (true, predicted)."""
    rows, names = [], []
    answers, place = run.test.probabilities.argmax(axis=1), _places(faces, run.test.files)
    for true, predicted in pairs:
        t, p = CLASSES.index(true), CLASSES.index(predicted)
        wrong = np.flatnonzero((run.test.labels == t) & (answers == p) & (place >= 0))
        worst = wrong[np.argsort(-run.test.probabilities[wrong, p], kind="stable")][:count]
        blank = np.full((count, *faces.images.shape[1:]), 255, np.uint8)
        blank[: len(worst)] = faces.images[place[worst]]
        rows.append(blank)
        names.append(f"{true} taken\nfor {predicted}")
    return picture_grid(rows, names)


def _places(faces: Faces, files: np.ndarray) -> np.ndarray:
    """The row of each file in `faces`, -1 where it is not there."""
    rows = {file: row for row, file in enumerate(faces.files)}
    return np.array([rows.get(file, -1) for file in files])
