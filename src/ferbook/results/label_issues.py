"""Labels that confident learning doubts."""

from __future__ import annotations

import numpy as np
import pandas as pd

from ferbook.core.classes import CLASSES
from ferbook.core.predictions import Predictions
from ferbook.data import ferplus
from ferbook.results.metrics import renormalized


def label_issues(predictions: Predictions) -> pd.DataFrame:
    """Images whose label confident learning doubts, and what FER+ says of them.

    `predictions` must be of images that the model was not trained on. Columns: `file`, `label`,
    `suggested` and `ferplus` as class names (None without a clear one), the doubtful first.
    Source: Northcutt et al., "Confident Learning", JAIR 70 (2021); the library cleanlab.
    """
    from cleanlab.filter import find_label_issues

    probabilities = renormalized(predictions)
    rows = find_label_issues(
        predictions.labels.astype(int), probabilities,
        return_indices_ranked_by="self_confidence", n_jobs=1,
    )  # fmt: skip
    names = np.array([*CLASSES, None], dtype=object)  # the last one serves -1
    files = predictions.files[rows]
    return pd.DataFrame({
        "file": files,
        "label": names[predictions.labels[rows]],
        "suggested": names[probabilities[rows].argmax(axis=1)],
        "ferplus": names[ferplus.as_class(ferplus.pluralities(files))],
    })  # fmt: skip
