"""Figures of the chapter Data."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from ferbook.core.classes import CLASSES
from ferbook.data import ferplus
from ferbook.data.faces import Faces
from ferbook.paper.plots import (
    NEUTRALS,
    class_bars,
    finished,
    heatmap,
    picture_grid,
)


def class_counts(dataset: Mapping[str, Any]) -> Figure:
    """Images per class, one bar per part of the data set."""
    frame = pd.DataFrame(dataset["counts"]).loc[list(CLASSES)]
    return finished(class_bars(frame, "images", NEUTRALS))


def montage(faces: Faces, *, per_class: int = 6, seed: int = 0) -> Figure:
    """Random images of each class in a row, drawn with `seed`."""
    random = np.random.default_rng(seed)
    rows = [
        random.choice(np.flatnonzero(faces.labels == label), per_class, replace=False)
        for label in range(len(CLASSES))
    ]
    return picture_grid([faces.images[chosen] for chosen in rows], list(CLASSES))


def ferplus_confusion(dataset: Mapping[str, Any]) -> Figure:
    """FER-2013's labels (rows) against the plurality of FER+, as fractions of each row.

    Columns are in the order of the rows, so that agreement is the diagonal; what FER-2013 has no
    class for comes last, behind a line.
    """
    counts = np.array([dataset["ferplus"]["confusion"][name] for name in CLASSES])
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    classes = ferplus.as_class(np.arange(len(ferplus.VOTES)))
    order = np.argsort(np.where(classes < 0, len(CLASSES), classes), kind="stable")
    columns = [ferplus.VOTES[i].replace("NF", "no face") for i in order]
    figure, axes = heatmap(shares[:, order], columns, ".2f", (8, 5))
    axes.axvline(len(CLASSES), color="#222222", linewidth=1.5)
    axes.set(xlabel="plurality of ten taggers (FER+)", ylabel="label in FER-2013")
    return finished(figure)
