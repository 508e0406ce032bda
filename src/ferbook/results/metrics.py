"""Labels and probabilities to scores. The one place where an accuracy is computed."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from jaxtyping import Float, Int
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax, softmax
from scipy.stats import binomtest
from statsmodels.stats.contingency_tables import mcnemar

from ferbook.core.classes import CLASSES
from ferbook.core.predictions import Predictions
from ferbook.data.duplicates import twin_mask


@functools.cache
def accuracy_interval(correct: int, total: int) -> tuple[float, float]:
    """Wilson's 95% interval of an accuracy, as fractions in [0, 1].

    Source: Wilson, JASA 22 (1927) 209-212.
    Raises ValueError unless 0 <= correct <= total and total > 0.
    """
    if not (total > 0 and 0 <= correct <= total):
        raise ValueError(
            "correct, total: expected 0 <= correct <= total and total > 0. "
            f"Received: {correct}, {total}."
        )
    interval = binomtest(correct, total).proportion_ci(0.95, method="wilson")
    return float(interval.low), float(interval.high)


def score(predictions: Predictions) -> dict[str, Any]:
    """Accuracy with its 95% interval, precision, recall and F1 by class, and their means.

    All fractions in [0, 1]; `log_loss` in nats, without label smoothing. A class that is never
    predicted has precision 0. Raises ValueError for an empty set.
    """
    _check_not_empty(predictions)
    total = len(predictions)
    correct = int((predictions.answers == predictions.labels).sum())
    low, high = accuracy_interval(correct, total)
    return {
        "correct": correct,
        "total": total,
        "accuracy": correct / total,
        "accuracy_low": low,
        "accuracy_high": high,
        "log_loss": _log_loss(predictions),
        **_class_scores(confusion_matrix(predictions)),
    }


def accuracy(predictions: Predictions) -> float:
    """The fraction of right answers, in [0, 1]; `score` has everything else too.

    Raises ValueError for an empty set.
    """
    _check_not_empty(predictions)
    return float((predictions.answers == predictions.labels).mean())


def score_sets(
    val: Predictions,
    test: Predictions,
    leaked_files: frozenset[str],
    val_twins: frozenset[str] = frozenset(),
) -> dict[str, dict[str, Any]]:
    """Scores on validation and on each reading of the test set.

    "val_clean" leaves out the validation images with a twin in training, `val_twins`: choices are
    made on it. "test" is all of the test set, "private" the contest's PrivateTest, "clean" and
    "leaked" the test images without and with a pixel-identical copy in the training folder. Empty
    sets are left out.
    """
    clean = without(val, val_twins)
    sets = {"val": val, "val_clean": clean, **named_test_sets(test, leaked_files)}
    return {name: score(part) for name, part in sets.items() if len(part)}


def without(part: Predictions, files: frozenset[str]) -> Predictions:
    """The images of `part` that are not among `files`."""
    return part.select(~twin_mask(part.files, files))


def named_test_sets(test: Predictions, leaked_files: frozenset[str]) -> dict[str, Predictions]:
    """The named readings of the test set; see `score_sets`."""
    private = np.array(["/PrivateTest_" in file for file in test.files.tolist()], dtype=bool)
    leaked = twin_mask(test.files, leaked_files)
    masks = {"test": np.ones_like(leaked), "private": private, "clean": ~leaked, "leaked": leaked}
    return {name: test.select(mask) for name, mask in masks.items()}


def sets_by_copy(test: Predictions, dataset: Mapping[str, Any]) -> dict[str, Predictions]:
    """`named_test_sets`; and of "clean" the images with a near duplicate in the training folder,
    "near", and the others, "neither". `dataset` is the audit of the images, `dataset.json`.
    """
    sets = named_test_sets(test, frozenset(dataset["leaked_files"]))
    near = twin_mask(sets["clean"].files, frozenset(dataset["near_duplicates"]["leaked_files"]))
    return {**sets, "near": sets["clean"].select(near), "neither": sets["clean"].select(~near)}


def merged(first: Predictions, second: Predictions) -> Predictions:
    """Two sets of images as one, without test-time augmentation."""
    return Predictions(
        np.concatenate([first.files, second.files]),
        np.concatenate([first.labels, second.labels]),
        np.concatenate([first.probabilities, second.probabilities]),
    )


def confusion_matrix(predictions: Predictions) -> Int[np.ndarray, "7 7"]:
    """Counts: true class in rows, predicted class in columns, in the order of CLASSES."""
    size = len(CLASSES)
    cells = predictions.labels.astype(np.int64) * size + predictions.answers
    return np.bincount(cells, minlength=size * size).reshape(size, size)


def confused_pairs(predictions: Predictions) -> list[tuple[int, str, str]]:
    """(errors both ways, two classes) of every pair of classes, the most confused first."""
    counts = confusion_matrix(predictions)
    both = (counts + counts.T).tolist()
    indices = itertools.combinations(range(len(CLASSES)), 2)
    pairs = [(both[i][j], CLASSES[i], CLASSES[j]) for i, j in indices]
    return sorted(pairs, key=lambda pair: -pair[0])


def confusion_rank(pairs: list[tuple[int, str, str]], *names: str) -> tuple[int, int]:
    """The rank of two classes among `confused_pairs`, with their errors; of equals, the best."""
    errors = next(count for count, *two in pairs if set(two) == set(names))
    return 1 + sum(count > errors for count, *_ in pairs), errors


def paired_test(first: Predictions, second: Predictions) -> dict[str, float | int]:
    """McNemar's exact test of two runs on the same images.

    `only_first` and `only_second` count the images that one run alone gets right; `p_value` is
    two-sided. Source: McNemar, Psychometrika 12 (1947) 153-157.
    Raises ValueError when the images differ.
    """
    if first.files.tolist() != second.files.tolist():
        raise ValueError("first, second: expected predictions on the same images.")
    a, b = (part.answers == part.labels for part in (first, second))
    table = [[int((a & b).sum()), int((a & ~b).sum())], [int((~a & b).sum()), int((~a & ~b).sum())]]
    return {
        "only_first": table[0][1],
        "only_second": table[1][0],
        "total": len(first),
        "p_value": float(mcnemar(table, exact=True).pvalue),
    }


def calibration(predictions: Predictions, *, bins: int = 15) -> dict[str, Any]:
    """How confidence and accuracy agree: expected calibration error and the bins behind it.

    Confidence is the highest probability. `rows` hold per bin of equal width its images, mean
    confidence and accuracy. Source: Guo et al., "On Calibration of Modern Neural Networks", 2017.
    """
    probabilities = renormalized(predictions)
    confidence = probabilities.max(axis=1)
    right = probabilities.argmax(axis=1) == predictions.labels
    index = np.minimum((confidence * bins).astype(int), bins - 1)
    rows = [
        (int(part.sum()), float(confidence[part].mean()), float(right[part].mean()))
        for part in (index == i for i in range(bins))
        if part.any()
    ]
    error = sum(n * abs(mean - accuracy) for n, mean, accuracy in rows) / len(predictions)
    return {"ece": error, "mean_confidence": float(confidence.mean()), "rows": rows}


def fit_temperature(val: Predictions) -> float:
    """The temperature that minimizes the log loss on validation; above 1 softens.

    It is looked for between exp(-2) and exp(2). Source: Guo et al. 2017.
    """
    logits = np.log(np.maximum(renormalized(val), 1e-7))
    rows = np.arange(len(val))

    def loss(log_temperature: float) -> float:
        scaled = log_softmax(logits / np.exp(log_temperature), axis=1)
        return float(-scaled[rows, val.labels].mean())

    return float(np.exp(minimize_scalar(loss, bounds=(-2.0, 2.0), method="bounded").x))


def with_temperature(predictions: Predictions, temperature: float) -> Predictions:
    """The same answers with probabilities sharpened or softened; their order stays."""
    logits = np.log(np.maximum(renormalized(predictions), 1e-7))
    return replace(predictions, probabilities=softmax(logits / temperature, axis=1))


def _check_not_empty(predictions: Predictions) -> None:
    if len(predictions) == 0:
        raise ValueError("predictions: expected at least one image. Received: none.")


def renormalized(predictions: Predictions) -> Float[np.ndarray, "n 7"]:
    """Probabilities in float64 with rows that sum to 1."""
    # float16 rows sum to 1 only to about 1e-3.
    probabilities = predictions.probabilities.astype(np.float64)
    return probabilities / probabilities.sum(axis=1, keepdims=True)


def _log_loss(predictions: Predictions) -> float:
    least = np.finfo(np.float64).eps  # keeps the loss of an answer ruled out finite
    true = renormalized(predictions)[np.arange(len(predictions)), predictions.labels]
    return float(-np.log(np.clip(true, least, 1 - least)).mean())


def _class_scores(confusions: Int[np.ndarray, "7 7"]) -> dict[str, Any]:
    right, support, answered = confusions.diagonal(), confusions.sum(axis=1), confusions.sum(axis=0)
    values = {
        "precision": _shares(right, answered),
        "recall": _shares(right, support),
        "f1": _shares(2 * right, support + answered),
    }
    by_class = {
        label: {name: float(v[i]) for name, v in values.items()} | {"support": int(support[i])}
        for i, label in enumerate(CLASSES)
    }
    macro = {name: float(v.mean()) for name, v in values.items()}
    weighted = {name: float(np.average(v, weights=support)) for name, v in values.items()}
    return {"classes": by_class, "macro": macro, "weighted": weighted}


def _shares(part: Int[np.ndarray, "7"], whole: Int[np.ndarray, "7"]) -> Float[np.ndarray, "7"]:
    return part / np.maximum(whole, 1)  # of none, none
