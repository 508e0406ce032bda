"""Predictions as the result store keeps them: packed, and checked when they are read."""

from __future__ import annotations

import dataclasses
import io
from pathlib import Path
from typing import Any

import numpy as np

from ferbook.core.classes import CLASSES
from ferbook.core.files import FileError, StoreError, open_arrays
from ferbook.core.predictions import Predictions

MAX_ARRAY_BYTES = 100_000_000  # of predictions, unpacked; those of a run have 4 million


def as_stored(predictions: Predictions) -> Predictions:
    """float16 probabilities: scores are computed from what is stored, not from what was lost."""
    names = [n for n in ("probabilities", "augmented") if getattr(predictions, n) is not None]
    halves = {name: getattr(predictions, name).astype(np.float16) for name in names}
    return dataclasses.replace(predictions, **halves)


def pack(**parts: Predictions) -> bytes:
    """An npz of the arrays of each part, named after it."""
    arrays = {}
    for name, part in parts.items():
        arrays |= {f"{name}_file": part.files, f"{name}_label": part.labels.astype(np.uint8)}
        arrays[f"{name}_prob"] = part.probabilities
        if part.augmented is not None:
            arrays[f"{name}_prob_tta"] = part.augmented
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **arrays)
    return buffer.getvalue()


def unpack(path: Path, *names: str) -> list[Predictions]:
    """The parts `names` of an npz that `pack` made. Raises StoreError when it is damaged."""
    try:
        with open_arrays(path, MAX_ARRAY_BYTES) as arrays:
            return [_check(path, name, arrays) for name in names]
    except (StoreError, FileNotFoundError):
        raise
    except FileError as error:
        raise StoreError(str(error)) from error
    except Exception as error:  # zipfile, zlib and NumPy raise many kinds for damaged files
        raise StoreError(f"{path}: not a predictions file ({error!s:.200}).") from error


def _check(path: Path, name: str, arrays: Any) -> Predictions:
    files, labels = arrays[f"{name}_file"], arrays[f"{name}_label"]
    n = len(files)
    if n == 0:
        raise StoreError(f"{path}: {name} holds no image.")
    if labels.shape != (n,) or len(set(files.tolist())) != n:
        raise StoreError(f"{path}: {name} arrays disagree in length or name a file twice.")
    if labels.dtype != np.uint8 or files.dtype.kind != "U":
        raise StoreError(f"{path}: {name} has labels that are not uint8 or files that are no text.")
    if labels.max() >= len(CLASSES):
        raise StoreError(f"{path}: {name} holds a label above 6.")
    plain, augmented = f"{name}_prob", f"{name}_prob_tta"
    more = [_probabilities(path, augmented, arrays, n)] if augmented in arrays else []
    return Predictions(files, labels, _probabilities(path, plain, arrays, n), *more)


def _probabilities(path: Path, key: str, arrays: Any, n: int) -> np.ndarray:
    values = arrays[key]
    if values.shape != (n, len(CLASSES)):
        raise StoreError(f"{path}: {key} disagrees in length with the files.")
    if not (values.min() >= 0 and np.allclose(values.sum(1, np.float64), 1, atol=5e-3)):
        raise StoreError(f"{path}: {key} holds a negative value or rows that do not sum to 1.")
    return values
