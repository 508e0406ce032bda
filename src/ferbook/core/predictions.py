"""Predictions: the answers of a model on one set of images."""

from __future__ import annotations

import functools
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int, UInt8


@dataclass(frozen=True)
class Predictions:
    """A model's answers on one set of images, in file-name order."""

    files: np.ndarray  # (n,) str, the paths in archive.zip
    labels: UInt8[np.ndarray, " n"]
    probabilities: Float[np.ndarray, "n 7"]  # rows sum to 1
    augmented: Float[np.ndarray, "n 7"] | None = None  # the same with test-time augmentation

    @functools.cached_property
    def answers(self) -> Int[np.ndarray, " n"]:
        """The likeliest class of each image, an index of CLASSES."""
        return self.probabilities.argmax(axis=1)

    def __len__(self) -> int:
        return len(self.labels)

    def select(self, mask: np.ndarray) -> Predictions:
        """The rows where `mask` (n,) is true."""
        augmented = None if self.augmented is None else self.augmented[mask]
        return Predictions(self.files[mask], self.labels[mask], self.probabilities[mask], augmented)

    def with_augmentation(self) -> Predictions:
        """The answers with test-time augmentation in place of those without.

        Raises ValueError when the run has none.
        """
        if self.augmented is None:
            raise ValueError("predictions: this run stored none with test-time augmentation.")
        return Predictions(self.files, self.labels, self.augmented)
