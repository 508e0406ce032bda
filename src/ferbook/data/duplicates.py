"""Byte-identical images, known by their file names: who has a twin among whom."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import pandas as pd

from ferbook.data.faces import Faces

Groups = Sequence[Sequence[str]]  # files of pixel-identical images, two or more in each


def duplicate_groups(faces: Faces) -> list[list[str]]:
    """The files of pixel-identical images, a list per group, in file-name order."""
    files = pd.Series(faces.files)
    groups = (part.tolist() for _, part in files.groupby(faces.digests) if len(part) > 1)
    return sorted(sorted(group) for group in groups)


def with_twin(files: Iterable[str], groups: Groups, others: Iterable[str]) -> frozenset[str]:
    """Those of `files` that are pixel-identical with an image of `others`, itself left out."""
    wanted, known = set(files), set(others)
    found = set()
    for group in groups:
        there = known.intersection(group)
        # Two of `others` are twins of each other; one is no twin of itself.
        found |= {file for file in group if file in wanted and there - {file}}
    return frozenset(found)


def validation_twins(val_files: Iterable[str], groups: Groups) -> frozenset[str]:
    """Validation images with a pixel-identical image in the rest of the training folder."""
    val = set(val_files)
    training = {file for group in groups for file in group if file.startswith("train/")} - val
    return with_twin(val, groups, training)


def twin_mask(files: np.ndarray, twins: frozenset[str]) -> np.ndarray:
    """(n,) bool: whether each of `files` (n,) is among `twins`."""
    return np.array([file in twins for file in files.tolist()], dtype=bool)
