"""Ratios of interleaved measurements.

A ratio is formed within each round and given as its median over the rounds, lowest and highest.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

Measured = Mapping[str, Mapping[str, Any]]  # piece -> what it measured


class Ratio(NamedTuple):
    """Of two things measured in turns."""

    median: float
    low: float
    high: float

    def __str__(self) -> str:
        median, low, high = (f"{value:.0f}" if value >= 10 else f"{value:.2f}" for value in self)
        return f"{median} ({low}\u00a0to\u00a0{high})"  # the range stays on one line


def ratio(over: Sequence[float], under: Sequence[float]) -> Ratio:
    """`over` / `under` round by round."""
    values = np.asarray(over) / np.asarray(under)
    return Ratio(float(np.median(values)), float(values.min()), float(values.max()))


def share_of_peak(step: Mapping[str, Any]) -> Ratio:
    """Multiply-adds per second of the training step over those of a matrix product.

    A step counts as three forward passes: one, and two of its size for the gradients.
    """
    work = 3 * step["multiply_adds"] * step["batch_size"] / step["product_multiply_adds"]
    found = ratio(step["rounds"]["matrix product"], step["rounds"]["constant batch"])
    return Ratio(*(work * value for value in found))


def copies_held(memory: Mapping[str, Any]) -> float:
    """How many bytes the training's peak grows by for each byte of pixels."""
    (large, most), (small, least) = ((int(n), np.median(v)) for n, v in memory["rounds"].items())
    return float((most - least) / ((large - small) * memory["image_bytes"]))


def growth_exponent(rows: Sequence[Mapping[str, Any]], *, last: int = 3) -> float:
    """k of the law seconds ~ n^k that fits the `last` rows best, by logarithms."""
    n = [row["n"] for row in rows[-last:]]
    seconds = [float(np.median(row["seconds"])) for row in rows[-last:]]
    return float(np.polyfit(np.log(n), np.log(seconds), 1)[0])
