"""Faces: the images of FER-2013 with their labels, and what is known of the official set."""

from __future__ import annotations

import functools
import hashlib
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Bool, UInt8

from ferbook.core.classes import CLASSES
from ferbook.core.errors import FerbookError

# The contest's csv numbers the classes in another order than the folders do.
CSV_CLASSES = ("angry", "disgust", "fear", "happy", "sad", "surprise", "neutral")
USAGES = ("Training", "PublicTest", "PrivateTest")
# Images per class in the order of CLASSES. Source: Kaggle's archive, counted.
OFFICIAL_COUNTS = {
    "Training": (3995, 436, 4097, 7215, 4965, 4830, 3171),
    "PublicTest": (467, 56, 496, 895, 607, 653, 415),
    "PrivateTest": (491, 55, 528, 879, 626, 594, 416),
}
# SHA-256 of the decoded archive. It differs from a csv's: the archive's JPEGs are lossy.
OFFICIAL_FINGERPRINT = "8030eece0d8f61aa9328a83aed06a9c47d797bf1c094555ee63db8273cc7ad4f"


class DataError(FerbookError, ValueError):
    """The data source is not what it should be; the message says what was found and what to do."""


@dataclass(frozen=True)
class Faces:
    """Images with their labels, in file-name order."""

    images: UInt8[np.ndarray, "n side side"]  # gray
    labels: UInt8[np.ndarray, " n"]  # index into CLASSES
    files: np.ndarray  # (n,) str: "train/angry/Training_3908.jpg"
    name: str  # "fer2013", "synthetic", or "other": most are not proven to be of FER-2013

    def __len__(self) -> int:
        return len(self.labels)

    def select(self, rows: np.ndarray) -> Faces:
        """The images at `rows`, a mask or indices; known digests go with them."""
        part = Faces(self.images[rows], self.labels[rows], self.files[rows], self.name)
        if "digests" in vars(self):
            vars(part)["digests"] = self.digests[rows]
        return part

    def thinned(self, count: int) -> Faces:
        """At least `count` images, if there are so many, at equal distances."""
        return self.select(np.arange(0, len(self), max(1, len(self) // count)))

    @functools.cached_property
    def usages(self) -> np.ndarray:
        """(n,) str: "Training", "PublicTest" or "PrivateTest", from the file names."""
        return np.array([file.rsplit("/", 1)[-1].split("_")[0] for file in self.files], dtype=str)

    @functools.cached_property
    def digests(self) -> np.ndarray:
        """(n,) str, SHA-256 of each image's pixels: equal for pixel-identical images."""
        found = [hashlib.sha256(image.tobytes()).hexdigest() for image in self.images]
        return np.array(found, dtype=str)

    @functools.cached_property
    def constant(self) -> Bool[np.ndarray, " n"]:
        """True for each image of a single gray value."""
        return self.images.min(axis=(1, 2)) == self.images.max(axis=(1, 2))

    def copied_in(self, other: Faces) -> Bool[np.ndarray, " n"]:
        """True for each image with a pixel-identical copy in `other`."""
        return np.isin(self.digests, other.digests)

    @functools.cached_property
    def fingerprint(self) -> str:
        """SHA-256 over all pixels, then all labels, in file-name order."""
        digest = hashlib.sha256(np.ascontiguousarray(self.images).data)
        digest.update(np.ascontiguousarray(self.labels).data)
        return digest.hexdigest()

    @functools.cached_property
    def leaked(self) -> Bool[np.ndarray, " n"]:
        """True for each test image with a pixel-identical copy in the training folder."""
        training = self.usages == "Training"
        return np.isin(self.digests, self.digests[training]) & ~training


def count_table(faces: Faces) -> Any:
    """Images per class (rows) and usage (columns), as a pandas.DataFrame."""
    import pandas as pd  # late: not every reader of faces counts them

    labels = pd.Categorical.from_codes(faces.labels, CLASSES)
    usages = pd.Categorical(faces.usages, USAGES)
    return pd.crosstab(labels, usages, dropna=False).rename_axis(index="class", columns="usage")
