"""Weights set to zero by magnitude."""

from __future__ import annotations

import numpy as np


def pruned(kernels: list[np.ndarray], share: float) -> list[np.ndarray]:
    """`kernels` with the smallest `share` of all their entries, by magnitude, set to zero.

    Source: global magnitude pruning; Han et al., NeurIPS 2015.
    """
    if not 0 <= share < 1:
        raise ValueError(f"share: expected 0 <= share < 1. Received: {share}.")
    if share == 0:
        return kernels
    threshold = np.quantile(np.abs(np.concatenate([k.ravel() for k in kernels])), share)
    return [np.where(np.abs(k) > threshold, k, 0).astype(k.dtype) for k in kernels]
