"""What the data set holds that a paper should say: counts, copies, leaks."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from ferbook import data, splits
from ferbook.data import Faces


def describe_dataset(faces: Faces) -> dict[str, Any]:
    """The facts about `faces` that the book needs where the images are absent.

    `leaked_files` are the test images with a byte-identical copy in the training folder.
    """
    parts = splits.split(faces)
    usages = {usage: int((faces.usages == usage).sum()) for usage in data.USAGES}
    leaked = faces.files[splits.leaked_mask(faces)]
    return {
        "name": faces.name,
        "fingerprint": data.fingerprint(faces),
        "images": len(faces),
        "usages": usages,
        "splits": {name: len(getattr(parts, name)) for name in ("train", "val", "test")},
        "counts": data.count_table(faces).to_dict(),
        "duplicates": summarize_duplicates(faces),
        "constant_files": faces.files[constant_mask(faces)].tolist(),
        "leaked_files": leaked.tolist(),
    }


def summarize_duplicates(faces: Faces) -> dict[str, int]:
    """Byte-identical images: groups, the images in them, surplus copies, conflicting groups.

    A group conflicts when its images do not all carry the same label.
    """
    groups = duplicate_groups(faces)
    images = sum(len(group) for group in groups)
    return {
        "groups": len(groups),
        "images": images,
        "surplus": images - len(groups),
        "conflicting_groups": sum(len(np.unique(faces.labels[group])) > 1 for group in groups),
    }


def duplicate_groups(faces: Faces) -> list[np.ndarray]:
    """Rows of byte-identical images, one array of two or more per group."""
    digests = pd.Series(splits.pixel_digests(faces.images))
    return [rows for rows in digests.groupby(digests).indices.values() if len(rows) > 1]


def leak_table(faces: Faces) -> pd.DataFrame:
    """Test images with a byte-identical training image, by part of the test set.

    `same_label` is the fraction of them for which a training copy carries the test label.
    """
    digests, training = splits.pixel_digests(faces.images), faces.usages == "Training"
    labelled = np.char.add(digests, faces.labels.astype(str))
    leaked, same = splits.leaked_mask(faces), np.isin(labelled, labelled[training])
    rows = []
    for usage in ("PublicTest", "PrivateTest"):
        part = faces.usages == usage
        hit = part & leaked
        rows.append((usage, part.sum(), hit.sum(), hit.sum() / part.sum(), same[hit].mean()))
    columns = ["part", "images", "leaked", "leaked_fraction", "same_label"]
    return pd.DataFrame(rows, columns=columns).set_index("part")


def constant_mask(faces: Faces) -> np.ndarray:
    """(n,) bool: images of a single grey value."""
    return faces.images.min(axis=(1, 2)) == faces.images.max(axis=(1, 2))
