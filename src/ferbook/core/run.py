"""Predictions, runs, and the answers of other models: what the result store holds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float, UInt8

from ferbook.core.recipe import Recipe


@dataclass(frozen=True)
class Predictions:
    """A model's answers on one set of images, in file-name order."""

    files: np.ndarray  # (n,) str, the paths in archive.zip
    labels: UInt8[np.ndarray, " n"]
    probabilities: Float[np.ndarray, "n 7"]  # rows sum to 1
    augmented: Float[np.ndarray, "n 7"] | None = None  # the same with test-time augmentation

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


@dataclass(frozen=True)
class Run:
    """A finished run as read from the result store."""

    study: str
    name: str
    info: dict[str, Any]  # run.json
    history: Any  # pandas.DataFrame, one row per epoch over both phases
    val: Predictions
    test: Predictions

    @property
    def recipe(self) -> Recipe:
        """The recipe that the run was trained with."""
        info = self.info
        places = {key: info[key] for key in ("backbone", "weights", "image_size", "seed")}
        return Recipe(**info["recipe"], **places)

    @property
    def is_synthetic(self) -> bool:
        """True unless the run saw the real FER-2013."""
        return self.info["dataset"]["name"] != "fer2013"

    @property
    def label(self) -> str:
        """What figures and tables call the run; a synthetic run says so."""
        return f"{self.name} (synthetic)" if self.is_synthetic else self.name


@dataclass(frozen=True)
class Answers:
    """What a peer's model or a classical baseline answers on the test images."""

    name: str
    info: dict[str, Any]  # about.json
    test: Predictions

    @property
    def label(self) -> str:
        """What figures and tables call it."""
        return self.name
