"""What was done before deep learning: LBP, HOG and Gabor features with a linear classifier.

The original names them as the classical approaches. Everything is fitted on the training split;
the strength of the regularization is chosen on validation images without a twin in training.
"""

from __future__ import annotations

import functools
import itertools
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from jaxtyping import UInt8

from ferbook.core.predictions import Predictions
from ferbook.data.splits import Split
from ferbook.results import store

STRENGTHS = (1e-5, 1e-4, 1e-3, 1e-2, 0.1, 1.0)  # C of the logistic regression
CELL = 8  # px; features are gathered on a grid of cells


def evaluate(name: str, parts: Split, results_dir: str | Path = "results") -> Path:
    """Fit the baseline `name` of FEATURES; write its answers to `results/baselines/<name>`."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    started = time.perf_counter()
    train, val, test = (
        np.stack([FEATURES[name](image) for image in part.images])
        for part in (parts.train, parts.val, parts.test)
    )
    clean = ~parts.val.copied_in(parts.train)
    fitted = {
        c: make_pipeline(StandardScaler(), LogisticRegression(C=c, max_iter=300)).fit(
            train, parts.train.labels
        )
        for c in STRENGTHS
    }
    accuracies = {
        c: float(model.score(val[clean], parts.val.labels[clean])) for c, model in fitted.items()
    }
    best = max(accuracies, key=lambda c: accuracies[c])
    info = {
        "features": train.shape[1],
        "classifier": "logistic regression",
        "C": best,
        "val_clean_accuracy": {str(c): accuracy for c, accuracy in accuracies.items()},
        "parameters": fitted[best][-1].coef_.size + fitted[best][-1].intercept_.size,
        "seconds": time.perf_counter() - started,
        "dataset": parts.test.name,
    }
    answers = Predictions(parts.test.files, parts.test.labels, fitted[best].predict_proba(test))
    folder = Path(results_dir) / "baselines" / name
    store.write_answers(folder, info, answers)
    return folder


def hog(image: UInt8[np.ndarray, "side side"]) -> np.ndarray:
    """Histograms of oriented gradients. Source: Dalal & Triggs, CVPR 2005."""
    from skimage.feature import hog as oriented_gradients

    return oriented_gradients(image, 9, (CELL, CELL), (2, 2), feature_vector=True)


def lbp(image: UInt8[np.ndarray, "side side"]) -> np.ndarray:
    """Histograms of uniform local binary patterns by cell. Source: Shan et al., IVC 2009."""
    from skimage.feature import local_binary_pattern

    patterns = local_binary_pattern(image, 8, 1, "nri_uniform").astype(int)  # 0..58
    return np.concatenate([np.bincount(cell.ravel(), minlength=59) for cell in _cells(patterns)])


def gabor(image: UInt8[np.ndarray, "side side"]) -> np.ndarray:
    """Mean magnitude by cell of 40 Gabor filters; an image goes on beyond a border as at the other.

    Source: Lyons et al., FG 1998 (5 x 8 filters).
    """
    answers = np.fft.ifft2(np.fft.fft2(image / 255.0) * _gabor_bank(image.shape[0]))
    return np.abs(np.stack(_cells(answers))).mean(axis=(2, 3)).ravel()


@functools.cache
def _gabor_bank(side: int) -> np.ndarray:
    """(40, side, side) complex: the spectra of the filters, centered on the first pixel."""
    from skimage.filters import gabor_kernel

    bank = np.zeros((40, side, side), complex)
    waves = itertools.product((0.1, 0.14, 0.2, 0.28, 0.4), range(8))  # per px; orientations
    for slot, (frequency, k) in zip(bank, waves, strict=True):
        kernel = gabor_kernel(frequency, theta=k * np.pi / 8)
        h, w = kernel.shape
        slot[:h, :w] = kernel
        slot[:] = np.fft.fft2(np.roll(slot, (-(h // 2), -(w // 2)), axis=(0, 1)))
    return bank


def _cells(values: np.ndarray) -> list[np.ndarray]:
    """The cells (..., 8, 8) of a picture (..., side, side), row by row."""
    side = values.shape[-1]
    starts = range(0, side - CELL + 1, CELL)
    return [values[..., y : y + CELL, x : x + CELL] for y in starts for x in starts]


FEATURES: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "lbp": lbp,
    "hog": hog,
    "gabor": gabor,
    "lbp_hog_gabor": lambda image: np.concatenate([lbp(image), hog(image), gabor(image)]),
}
NAMES = tuple(FEATURES)
NEEDS = ("skimage",)
