"""The epochs of a run, as `history.csv` keeps them; checked when they are written and read."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pandas as pd
from pandas.api.types import is_numeric_dtype

from ferbook.core.files import StoreError, read_text

HISTORY_COLUMNS = (
    "phase", "epoch", "loss", "accuracy", "val_loss", "val_accuracy", "learning_rate", "seconds",
)  # fmt: skip
MAX_BYTES = 1_000_000  # of a history; a row has 150


def read_history(folder: Path) -> pd.DataFrame:
    """The epochs of the run in `folder`. Raises StoreError when they are damaged or missing."""
    path = folder / "history.csv"
    try:
        history = pd.read_csv(io.StringIO(read_text(path, MAX_BYTES)))
    except ValueError as error:  # too large, empty, not text, or not a table
        raise StoreError(f"{path}: not a readable csv ({error!s:.200}).") from error
    check_history(path, history)
    return history


def check_history(path: Path, history: pd.DataFrame) -> None:
    """Raises StoreError, naming `path`, unless there is one row of finite numbers per epoch."""
    if tuple(history.columns) != HISTORY_COLUMNS:
        raise StoreError(f"{path}: expected the columns {', '.join(HISTORY_COLUMNS)}.")
    if not (len(history) and all(is_numeric_dtype(history[n]) for n in HISTORY_COLUMNS[1:])):
        raise StoreError(f"{path}: expected rows of numbers, one per epoch.")
    counted = history.groupby("phase").cumcount()
    known = history["phase"].isin(["warmup", "finetune"])
    if not (known & (history["epoch"] == counted)).all():
        raise StoreError(f"{path}: expected the epochs of warmup and of finetune, from 0 on.")
    values = history[list(HISTORY_COLUMNS[1:])].to_numpy(float)
    if not (np.isfinite(values) & (values >= 0)).all():
        raise StoreError(f"{path}: holds a negative or infinite number, or none.")
